"""Faults of keys, envelopes and secrets."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tapekey.keys import commitment, envelope, keywrap
from tapekey.keys.data_key import DataKey, KeyId
from tapekey.keys.envelope import Binding, Envelope
from tapekey.keystore import recipients, seal
from tapekey.manager import prepare
from tapekey.secret import Secret
from tapekey.transport import trace
from tests.faults.fault import Fault, replaced, skipped

_KEYS = "tests/keys/test_envelope.py::"


def _without_serial(shipped: Callable[..., bytes], recipient: object, binding: Binding, check: bytes) -> bytes:
    return shipped(recipient, replace(binding, medium_serial="ANY"), check)


def _without_sequence(shipped: Callable[..., bytes], recipient: object, binding: Binding, check: bytes) -> bytes:
    return shipped(recipient, replace(binding, sequence=0), check)


def _as_its_own(shipped: Callable[..., DataKey], found: Envelope, identity: object, _: str) -> DataKey:
    return shipped(found, identity, found.binding.medium_serial)


def _unconfirmed(_: object, key: DataKey, __: bytes) -> DataKey:
    return key


def _named_alike(shipped: Callable[[], DataKey]) -> DataKey:
    return DataKey(KeyId(bytes(16)), shipped().secret)


def _predictable(shipped: Callable[[], DataKey]) -> DataKey:
    return DataKey(shipped().id, Secret(bytes(32)))


def _shown(_: object, secret: Secret) -> str:
    return f"<secret {secret.reveal().hex()}>"


def _traced(shipped: Callable[..., dict[str, Any]], command: Any) -> dict[str, Any]:
    out = command.data_out
    return shipped(command) | {"out": bytes(out.reveal() if isinstance(out, Secret) else out).hex()}


def _anywhere(shipped: Callable[..., Secret], key: Secret, _: bytes, wrapped: bytes) -> Secret:
    whole = keywrap.unwrap_padded(key, wrapped)
    return Secret(whole.reveal()[seal.DIGEST_SIZE :])


FAULTS: Final = {
    "serial not bound": Fault(
        replaced(envelope, "context", _without_serial),
        f"{_KEYS}test_wrapped_key_of_another_cartridges_envelope_is_refused[x25519]",
        "what a wrapped key is bound to leaves out the medium's serial number",
    ),
    "sequence not bound": Fault(
        replaced(envelope, "context", _without_sequence),
        f"{_KEYS}test_wrapped_key_of_an_older_envelope_is_refused[x25519]",
        "a wrapped key can be moved from an older envelope into a newer one",
    ),
    "transplant not noticed": Fault(
        replaced(envelope, "open_envelope", _as_its_own),
        f"{_KEYS}test_transplanted_envelope_is_refused[x25519]",
        "an envelope opens on whatever cartridge it is found",
    ),
    "check value not compared in envelopes": Fault(
        replaced(envelope, "confirm", _unconfirmed),
        f"{_KEYS}test_other_key_under_a_true_context_fails_the_check_value[x25519]",
        "the key that comes out of an envelope is believed to be the one that it names",
    ),
    "check value not compared in the keystore": Fault(
        replaced(commitment, "confirm", _unconfirmed),
        "tests/manager/test_release.py::test_a_key_that_does_not_match_its_check_value_is_damage",
        "the key that comes out of the keystore is believed to be the one on record",
    ),
    "key ids collide": Fault(
        replaced(prepare, "new_data_key", _named_alike),
        "tests/manager/test_prepare.py::test_a_new_key_takes_the_place_of_an_active_one",
        "two data keys get the same id",
    ),
    "data key is not random": Fault(
        replaced(prepare, "new_data_key", _predictable),
        "tests/manager/test_release.py::test_a_safe_key_is_released_and_active_on_record",
        "data keys can be guessed",
    ),
    "secret shown in repr": Fault(
        replaced(Secret, "__repr__", _shown),
        "tests/test_secret.py::test_traceback_with_locals_does_not_show_it",
        "a traceback or a log line shows key bytes",
    ),
    "key shown in the trace": Fault(
        replaced(trace, "_asked", _traced),
        "tests/transport/test_trace.py::test_no_form_of_the_key_is_in_a_whole_trace",
        "the trace shows what SECURITY PROTOCOL OUT carries",
    ),
    "short id may collide": Fault(
        skipped(recipients, "_demand_free"),
        "tests/keystore/test_recipients.py::test_a_short_id_that_collides_is_refused[4-True]",
        "two recipients share the id by which a brief envelope names them",
    ),
    "sealed secret opens elsewhere": Fault(
        replaced(seal, "unwrap", _anywhere),
        "tests/keystore/test_seal.py::test_wrap_tells_another_key_from_another_place",
        "a sealed secret can be moved to another row",
    ),
}
