import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tapekey.errors import DoesNotFit, EnvelopeRefused, KeyUnavailable, Malformed, NotThisKey
from tapekey.keys.brief import Brief, Form, KadRoom, context, join, lay, open_brief, read_brief, seal_brief
from tapekey.keys.commitment import derived_id
from tapekey.keys.data_key import KeyId
from tests.keys.people import KEY, named, person

LTO4, LTO5, T10000 = KadRoom(12, 32), KadRoom(60, 32), KadRoom(0, 30)

# rule's recipients, room of the drive, form expected: the design's table
CHOICES = {
    "x25519 on LTO-5": (("x25519",), LTO5, Form.X25519),
    "kek on LTO-5": (("kek",), LTO5, Form.AES_KW),
    "kek on LTO-4": (("kek",), LTO4, Form.TAGGED),
    "x25519 on LTO-4": (("x25519",), LTO4, Form.ID_ONLY),
    "x25519, then kek on LTO-4": (("x25519", "kek"), LTO4, Form.TAGGED),
    "the first that fits, x25519": (("rsa-3072", "p256", "x25519", "kek"), LTO5, Form.X25519),
    "the first that fits, kek": (("rsa-3072", "p384", "kek", "x25519"), LTO5, Form.AES_KW),
    "no recipient fits": (("rsa-3072", "p256", "p384"), LTO5, Form.ID_ONLY),
    "hybrid and x25519": (("mlkem768-x25519", "x25519"), LTO5, Form.ID_ONLY),
    "x25519 before a hybrid": (("x25519", "mlkem1024-p384"), LTO5, Form.ID_ONLY),
    "hybrid, x25519 and kek": (("x25519", "mlkem768-x25519", "kek"), LTO5, Form.AES_KW),
    "T10000": (("x25519", "kek"), T10000, Form.ID_ONLY),
    "91 bytes": (("x25519",), KadRoom(60, 31), Form.ID_ONLY),
    "65 bytes": (("kek",), KadRoom(60, 5), Form.TAGGED),
    "43 bytes": (("kek",), KadRoom(12, 31), Form.ID_ONLY),
    "18 bytes": (("kek",), KadRoom(18, 0), Form.ID_ONLY),
}
OPENABLE = {"x25519": (LTO5, 92), "kek": (LTO5, 66), "kek on LTO-4": (LTO4, 44)}


def made(name: str) -> tuple[str, bytes]:
    person_name = name.split()[0]
    return person_name, seal_brief(KEY, named(person_name), OPENABLE[name][0])


@pytest.mark.parametrize(("names", "room", "form"), CHOICES.values(), ids=CHOICES)
def test_form_is_the_first_that_fits(names: tuple[str, ...], room: KadRoom, form: Form) -> None:
    kad = seal_brief(KEY, named(*names), room)
    assert len(kad) == form.value <= room.total
    assert read_brief(kad).form is form


def test_carry_id_puts_no_key_on_the_tape() -> None:
    kad = seal_brief(KEY, named("x25519", "kek"), LTO5, id_only=True)
    assert kad == b"\xe1\x00" + KEY.id.raw


@pytest.mark.parametrize("room", [KadRoom(0, 0), KadRoom(17, 0), KadRoom(12, 5)])
def test_no_room_for_the_id_does_not_fit(room: KadRoom) -> None:
    with pytest.raises(DoesNotFit):
        seal_brief(KEY, named("kek"), room)


@pytest.mark.parametrize("name", OPENABLE)
def test_brief_envelope_opens_to_its_key(name: str) -> None:
    owner, kad = made(name)
    opened = open_brief(read_brief(kad), person(owner))
    assert len(kad) == OPENABLE[name][1]
    assert opened.secret == KEY.secret
    assert opened.id == (KEY.id if len(kad) == 66 else derived_id(KEY.secret))


@pytest.mark.parametrize("name", OPENABLE)
def test_id_on_record_goes_before_the_claimed_one(name: str) -> None:
    owner, kad = made(name)
    recorded = KeyId(b"on record at us!")
    assert open_brief(read_brief(kad), person(owner), recorded).id == recorded


@pytest.mark.parametrize("name", OPENABLE)
def test_no_changed_bit_gives_another_key(name: str) -> None:
    owner, kad = made(name)
    for bit in range(len(kad) * 8):
        changed = bytearray(kad)
        changed[bit // 8] ^= 1 << bit % 8
        in_key_id = len(kad) == 66 and 10 <= bit // 8 < 26
        if in_key_id:
            opened = open_brief(read_brief(bytes(changed)), person(owner))
            assert opened.secret == KEY.secret, "the key id is a claim; the key is not"
            continue
        with pytest.raises((Malformed, NotThisKey, EnvelopeRefused)):
            open_brief(read_brief(bytes(changed)), person(owner))


@pytest.mark.parametrize(("name", "other"), [("x25519", "other-x25519"), ("kek", "other-kek"), ("kek", "x25519")])
def test_brief_envelope_for_another_is_not_this_key(name: str, other: str) -> None:
    with pytest.raises(NotThisKey):
        open_brief(read_brief(made(name)[1]), person(other))


def test_kek_that_shares_a_tag_is_refused_not_opened() -> None:
    kad = person("kek").recipient.fingerprint[:4] + made("kek on LTO-4")[1][4:]
    foreign = person("other-kek").recipient.fingerprint[:4] + kad[4:]
    with pytest.raises(EnvelopeRefused):
        open_brief(read_brief(foreign), person("other-kek"))


def test_full_fingerprint_is_bound_not_only_the_locator() -> None:
    owner = person("x25519")
    bound = context(owner.recipient)
    wrapped = owner.recipient.wrap(KEY.secret, bound[:-1] + bytes([bound[-1] ^ 1]))
    kad = b"\xe1\x02" + owner.recipient.fingerprint[:10] + wrapped
    with pytest.raises(EnvelopeRefused):
        open_brief(read_brief(kad), owner)


def test_id_only_form_says_which_key_and_opens_with_none() -> None:
    brief = read_brief(seal_brief(KEY, (), LTO5))
    assert brief == Brief(Form.ID_ONLY, b"", KEY.id, b"")
    assert not brief.names(person("kek").recipient)
    with pytest.raises(KeyUnavailable, match=str(KEY.id)):
        open_brief(brief, person("kek"))


@pytest.mark.parametrize(
    ("size", "room", "halves"),
    [(44, LTO4, (12, 32)), (92, LTO5, (60, 32)), (66, LTO5, (60, 6)), (18, LTO5, (18, 0)), (18, T10000, (0, 18))],
)
def test_authenticated_kad_is_filled_first(size: int, room: KadRoom, halves: tuple[int, int]) -> None:
    brief = bytes(range(size))
    a, u = lay(brief, room)
    assert (len(a), len(u)) == halves
    assert join(a, u) == brief


def test_what_the_drive_has_no_room_for_is_not_laid() -> None:
    with pytest.raises(DoesNotFit):
        lay(bytes(92), LTO4)


@pytest.mark.parametrize("name", ["x25519", "kek"])
@pytest.mark.parametrize("padding", [1, 26, 70])
def test_zeros_behind_a_versioned_form_are_padding(name: str, padding: int) -> None:
    kad = made(name)[1]
    assert read_brief(kad + bytes(padding)) == read_brief(kad)
    with pytest.raises(Malformed):
        read_brief(kad + bytes(padding - 1) + b"\1")


ANY = st.binary(max_size=120)
ALMOST = st.builds(lambda suite, rest: bytes([0xE1, suite]) + rest, st.sampled_from([0, 2, 7]), ANY)


@given(ANY | ALMOST)
@example(bytes(44))
@example(b"\xe1\x07" + bytes(42))
def test_any_bytes_are_a_brief_envelope_or_malformed(kad: bytes) -> None:
    try:
        brief = read_brief(kad)
    except Malformed:
        return
    for name in ("x25519", "kek"):
        with pytest.raises((NotThisKey, EnvelopeRefused, KeyUnavailable)):
            open_brief(brief, person(name))
