import hashlib
import zlib
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tapekey.errors import DoesNotFit, EnvelopeRefused, KeyUnavailable, Malformed, NotThisKey, TapekeyError
from tapekey.keys import envelope, signature
from tapekey.keys.data_key import DataKey, KeyId
from tapekey.keys.envelope import Binding, Envelope, Stanza
from tapekey.keys.suite import HPKE
from tapekey.secret import Secret
from tests.keys.people import BINDING, KEY, SERIAL, SUITES, named, person
from tests.octets import octets

HEAD_END = 60
SIGNER = signature.of_seed(Secret(bytes(range(32))))
ALONE = {name: envelope.seal(KEY, BINDING, named(name)).envelope for name in SUITES}


def with_checksum(data: bytes) -> bytes:
    """What an attacker does who can count."""
    return data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "big")


def opened(data: bytes, name: str, serial: str = SERIAL) -> DataKey:
    return envelope.open_envelope(envelope.read(data), person(name), serial)


# --- layout -------------------------------------------------------------------------------------------------

# Worked out by hand from docs/formats/envelope.md; the checksum with zlib's crc32.
LAYOUT = octets("""
    54 50 4b 45                                      # TPKE
    01 00                                            # version, flags
    00 62                                            # whole length: 98
    10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f  # key id
    c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 ca cb cc cd ce cf  # check value
    70 71 72 73 74 75 76 77 78 79 7a 7b 7c 7d 7e 7f  # manager id
    00 00 00 07                                      # sequence
    0a 31 32 33 34 35 36 37 38 39 30                 # medium serial 1234567890
    08 45 4e 43 30 30 31 4c 36                       # volser ENC001L6
    01                                               # one wrapped key
    c8 00 02                                         # suite 200, 2 bytes
    50 51 52 53 54 55 56 57                          # locator
    aa bb                                            # wrapped key
""")


def laid_out() -> Envelope:
    stanza = Stanza(200, bytes(range(0x50, 0x58)), b"\xaa\xbb")
    return Envelope(BINDING, bytes(range(0xC0, 0xD0)), (stanza,))


def test_bytes_are_those_of_the_format() -> None:
    assert envelope.encode(laid_out()) == LAYOUT + zlib.crc32(LAYOUT).to_bytes(4, "big")
    assert envelope.read(envelope.encode(laid_out())) == laid_out()


def test_what_is_bound_is_what_the_format_names() -> None:
    recipient = person("kek").recipient
    bound = envelope.context(recipient, BINDING, bytes(16))
    assert bound == (
        b"tapekey/env/1\x07"
        + recipient.fingerprint
        + bytes(range(0x10, 0x20))
        + b"\x0a1234567890"
        + bytes(range(0x70, 0x80))
        + b"\x00\x00\x00\x07"
        + bytes(16)
    )


# --- sealing and opening ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_opens_to_the_key(name: str) -> None:
    key = opened(ALONE[name], name)
    assert (key.id, key.secret) == (KEY.id, KEY.secret)


@pytest.mark.parametrize("name", SUITES)
def test_every_other_key_is_told_that_it_is_not_the_one(name: str) -> None:
    for other in (*SUITES, "other-x25519", "other-kek"):
        if other != name:
            with pytest.raises(NotThisKey):
                opened(ALONE[name], other)


def test_each_of_several_recipients_opens() -> None:
    names = ("rsa-3072", "x25519", "p256", "p384", "kek")
    sealed = envelope.seal(KEY, BINDING, named(*names))
    assert sealed.carried == names
    for name in names:
        assert opened(sealed.envelope, name).secret == KEY.secret


def test_binding_of_another_key_is_a_callers_mistake() -> None:
    with pytest.raises(ValueError, match="another key"):
        envelope.seal(KEY, replace(BINDING, key_id=KeyId(bytes(16))), named("kek"))


def test_id_only_envelope_carries_no_key() -> None:
    sealed = envelope.seal(KEY, BINDING, named("x25519", "kek"), id_only=True)
    assert (sealed.carried, sealed.left_out) == ((), ("x25519", "kek"))
    assert envelope.read(sealed.envelope).stanzas == ()
    with pytest.raises(KeyUnavailable, match=str(KEY.id)):
        opened(sealed.envelope, "kek")


# --- room ---------------------------------------------------------------------------------------------------

# LTO-5 has about 469 bytes free, LTO-6 and later up to about 2,500 (host attributes of a full standard set taken off)
FITS = {
    "LTO-5: X25519 and P-384": (469, ("x25519", "p384"), 332),
    "LTO-5: four X25519": (469, ("x25519",) * 4, 449),
    "LTO-6: RSA-3072, P-384, X25519 and KEK": (2500, ("rsa-3072", "p384", "x25519", "kek"), 810),
    "LTO-6: ML-KEM-768 and KEK": (2500, ("mlkem768-x25519", "kek"), 1347),
    "LTO-6: ML-KEM-1024 and KEK": (2500, ("mlkem1024-p384", "kek"), 1892),
}


@pytest.mark.parametrize(("room", "names", "size"), FITS.values(), ids=FITS)
def test_room_suffices(room: int, names: tuple[str, ...], size: int) -> None:
    sealed = envelope.seal(KEY, BINDING, named(*names), room=room)
    assert sealed.left_out == ()
    assert len(sealed.envelope) == size


def test_lto6_has_room_for_rsa_hybrid_and_x25519_wrapped_keys() -> None:
    stanzas = tuple(Stanza(suite, bytes(8), bytes(size)) for suite, size in ((1, 384), (5, 1168), (2, 80)))
    assert len(envelope.encode(Envelope(BINDING, bytes(16), stanzas))) == 1750 < 2500


def test_room_is_given_in_the_rules_order_and_a_smaller_one_may_follow() -> None:
    sealed = envelope.seal(KEY, BINDING, named("x25519", "rsa-3072", "p256"), room=469)
    assert (sealed.carried, sealed.left_out) == (("x25519", "p256"), ("rsa-3072",))
    assert sealed.withheld == ()


@pytest.mark.parametrize("id_only", [False, True])
def test_one_byte_too_few_does_not_fit(id_only: bool) -> None:
    size = len(envelope.seal(KEY, BINDING, named("x25519"), id_only=id_only).envelope)
    assert len(envelope.seal(KEY, BINDING, named("x25519"), id_only=id_only, room=size).envelope) == size
    with pytest.raises(DoesNotFit):
        envelope.seal(KEY, BINDING, named("x25519"), id_only=id_only, room=size - 1)


def test_no_recipient_is_not_an_envelope() -> None:
    with pytest.raises(DoesNotFit):
        envelope.seal(KEY, BINDING, ())


def test_hybrid_in_the_rule_withholds_every_classical_public_key() -> None:
    sealed = envelope.seal(KEY, BINDING, named("rsa-3072", "x25519", "mlkem768-x25519", "kek"))
    assert sealed.carried == ("mlkem768-x25519", "kek")
    assert sealed.left_out == sealed.withheld == ("rsa-3072", "x25519")


# --- signature ----------------------------------------------------------------------------------------------


def test_signature_verifies_over_the_whole_envelope() -> None:
    found = envelope.read(envelope.seal(KEY, BINDING, named("x25519"), signer=SIGNER).envelope)
    envelope.verify_signature(found, SIGNER.public)
    with pytest.raises(EnvelopeRefused):
        envelope.verify_signature(replace(found, binding=replace(BINDING, volser="OTHER")), SIGNER.public)


def test_unsigned_envelope_is_not_signed_by_the_manager() -> None:
    with pytest.raises(NotThisKey):
        envelope.verify_signature(envelope.read(ALONE["x25519"]), SIGNER.public)


def test_signature_is_left_out_before_a_recipient_is() -> None:
    whole = envelope.seal(KEY, BINDING, named("x25519", "p256"), signer=SIGNER)
    short = envelope.seal(KEY, BINDING, named("x25519", "p256"), signer=SIGNER, room=len(whole.envelope) - 1)
    assert short.carried == whole.carried == ("x25519", "p256")
    assert envelope.read(whole.envelope).signature is not None
    assert envelope.read(short.envelope).signature is None


# --- what must not open -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SUITES)
def test_transplanted_envelope_is_refused(name: str) -> None:
    with pytest.raises(EnvelopeRefused):
        opened(ALONE[name], name, "1234567891")


# The volser is a claim, the suite of a stanza says who can open it: every other field of the head is bound.
BOUND = {
    "key id": {"key_id": KeyId(bytes(16))},
    "medium serial": {"medium_serial": "1234567891"},
    "manager": {"manager_id": bytes(16)},
    "sequence": {"sequence": 8},
}


@pytest.mark.parametrize("changed", BOUND.values(), ids=BOUND)
@pytest.mark.parametrize("name", SUITES)
def test_field_rewritten_with_a_right_checksum_is_refused(name: str, changed: dict[str, object]) -> None:
    binding = replace(BINDING, **changed)  # type: ignore[arg-type]
    forged = envelope.encode(replace(envelope.read(ALONE[name]), binding=binding))
    with pytest.raises(EnvelopeRefused):
        opened(forged, name, binding.medium_serial)


@pytest.mark.parametrize("name", SUITES)
def test_rewritten_check_value_is_refused(name: str) -> None:
    forged = envelope.encode(replace(envelope.read(ALONE[name]), check=bytes(16)))
    with pytest.raises(EnvelopeRefused):
        opened(forged, name)


@pytest.mark.parametrize("name", SUITES)
def test_wrapped_key_of_an_older_envelope_is_refused(name: str) -> None:
    older = envelope.read(envelope.seal(KEY, replace(BINDING, sequence=6), named(name)).envelope)
    replayed = envelope.encode(replace(envelope.read(ALONE[name]), stanzas=older.stanzas))
    with pytest.raises(EnvelopeRefused):
        opened(replayed, name)


@pytest.mark.parametrize("name", SUITES)
def test_wrapped_key_of_another_cartridges_envelope_is_refused(name: str) -> None:
    theirs = envelope.read(envelope.seal(KEY, replace(BINDING, medium_serial="1234567891"), named(name)).envelope)
    moved = envelope.encode(replace(envelope.read(ALONE[name]), stanzas=theirs.stanzas))
    with pytest.raises(EnvelopeRefused):
        opened(moved, name)


@pytest.mark.parametrize("name", SUITES)
def test_other_key_under_a_true_context_fails_the_check_value(name: str) -> None:
    found = envelope.read(ALONE[name])
    recipient = person(name).recipient
    bound = envelope.context(recipient, BINDING, found.check)
    plain = Secret(bytes(32)) if recipient.suite in HPKE else Secret(bytes(32) + hashlib.sha256(bound).digest())
    stanza = replace(found.stanzas[0], wrapped=recipient.wrap(plain, bound))
    with pytest.raises(EnvelopeRefused, match="check value"):
        opened(envelope.encode(replace(found, stanzas=(stanza,))), name)


@pytest.mark.parametrize("name", SUITES)
def test_no_changed_bit_opens(name: str) -> None:
    data = ALONE[name]
    step = 1 if len(data) < 250 else 37
    for bit in range(0, (len(data) - 4) * 8, step):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Malformed):
            envelope.read(bytes(changed))
        in_volser = HEAD_END + 11 < bit // 8 < HEAD_END + 20
        try:
            key = opened(with_checksum(bytes(changed)), name)
        except (Malformed, NotThisKey, EnvelopeRefused):
            continue
        assert in_volser, f"bit {bit}"
        assert key.secret == KEY.secret


def test_wrapped_key_of_another_length_is_malformed() -> None:
    found = envelope.read(ALONE["x25519"])
    recipient = person("x25519").recipient
    wrapped = recipient.wrap(Secret(bytes(31)), envelope.context(recipient, BINDING, found.check))
    stanza = replace(found.stanzas[0], wrapped=wrapped)
    with pytest.raises(Malformed):
        envelope.open_envelope(replace(found, stanzas=(stanza,)), person("x25519"), SERIAL)


# --- hostile bytes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(0, len(ALONE["x25519"]), 7))
def test_torn_envelope_is_malformed(size: int) -> None:
    data = ALONE["x25519"]
    for torn in (data[:size], data[:size] + bytes(len(data) - size)):
        with pytest.raises(Malformed):
            envelope.read(torn)


def test_torn_envelope_still_shows_that_it_is_ours() -> None:
    assert envelope.is_envelope(ALONE["x25519"][:20])
    assert not envelope.is_envelope(b"LTFS volume lock")


@pytest.mark.parametrize("serial", ["", "   ", "X" * 33, "naïve", "tab\t"])
def test_serial_that_cannot_be_laid_out_is_malformed(serial: str) -> None:
    with pytest.raises(Malformed):
        replace(BINDING, medium_serial=serial)


def test_bindings_numbers_are_checked() -> None:
    for sequence in (-1, 1 << 32):
        with pytest.raises(ValueError, match="sequence"):
            replace(BINDING, sequence=sequence)
    with pytest.raises(ValueError, match="manager id"):
        replace(BINDING, manager_id=b"short")


def sound(flags: int, rest: bytes) -> bytes:
    """Arbitrary bytes behind a sound head and under a sound checksum."""
    size = HEAD_END + len(rest) + 4
    head = b"TPKE\x01" + bytes([flags]) + size.to_bytes(2, "big") + bytes(52)
    return with_checksum(head + rest + bytes(4))


@pytest.mark.parametrize("extra", [1, signature.SIZE])
def test_bytes_behind_the_last_wrapped_key_are_malformed(extra: int) -> None:
    assert envelope.read(sound(1, b"\x011\x00\x00")).id_only
    with pytest.raises(Malformed):
        envelope.read(sound(1, b"\x011\x00\x00" + bytes(extra)))


@given(
    st.binary(max_size=300)
    | st.builds(sound, st.integers(0, 3), st.binary(max_size=300))
    | st.builds(lambda rest: sound(0, b"\x011\x00" + rest), st.binary(max_size=300))
)
@example(sound(1, b"\x011\x00\x00"))
@example(bytes(20000))
def test_any_bytes_are_an_envelope_or_malformed(data: bytes) -> None:
    try:
        found = envelope.read(data)
    except Malformed:
        return
    assert envelope.encode(found) == data
    with pytest.raises(TapekeyError):
        envelope.open_envelope(found, person("x25519"), found.binding.medium_serial)


@given(
    serial=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=32),
    volser=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=32),
    manager=st.binary(min_size=16, max_size=16),
    sequence=st.integers(0, (1 << 32) - 1),
    signed=st.booleans(),
)
def test_any_binding_survives(serial: str, volser: str, manager: bytes, sequence: int, signed: bool) -> None:
    binding = Binding(KEY.id, serial, manager, sequence, volser)
    sealed = envelope.seal(KEY, binding, named("kek"), signer=SIGNER if signed else None)
    found = envelope.read(sealed.envelope)
    assert found.binding == binding
    assert found.names(person("kek").recipient)
    assert envelope.open_envelope(found, person("kek"), serial).secret == KEY.secret
