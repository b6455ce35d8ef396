"""A new keystore with all that it needs to serve: site pair, group KEK, signing key, and a way out of single copies."""

from collections.abc import Sequence
from pathlib import Path

from tapekey.errors import Usage
from tapekey.keys import identity, signature
from tapekey.keys.identity import Kind
from tapekey.keys.recipient import PublicRecipient
from tapekey.keystore import recipients, store
from tapekey.keystore.records import Role
from tapekey.keystore.rows import Clock, Transaction
from tapekey.keystore.slots import Opener

SIGNING_KEY = "signing key"
SITE, GROUP, RECOVERY = "site", "group", "recovery"
UNSAFE_SINGLE_COPY = "unsafe_single_copy"


def create(
    directory: Path,
    openers: Sequence[Opener],
    *,
    recovery_recipient: PublicRecipient | None = None,
    unsafe_single_copy: bool = False,
    clock: Clock = store.utc,
) -> None:
    """Make a keystore. It must have an offline recovery recipient, or be told that single copies are accepted."""
    if recovery_recipient is None and not unsafe_single_copy:
        raise Usage(
            "the keystore would hold the only copy of every key",
            mend="give --recovery-recipient FILE, a public key whose private half is kept offline; "
            "or accept the risk with --unsafe-single-copy",
        )

    def fill(transaction: Transaction) -> None:
        recipients.add(transaction, SITE, identity.generate(Kind.X25519), role=Role.SITE)
        recipients.add(transaction, GROUP, identity.generate(Kind.KEK), role=Role.GROUP)
        store.keep_secret(transaction, SIGNING_KEY, signature.generate().seed)
        if recovery_recipient is not None:
            recipients.add(transaction, RECOVERY, recovery_recipient, role=Role.RECOVERY)
        if unsafe_single_copy:
            set_unsafe_single_copy(transaction, on=True)

    store.make(directory, openers, clock, fill)


def set_unsafe_single_copy(transaction: Transaction, *, on: bool) -> None:
    """Accept, or stop accepting, that a key is used while this keystore has its only copy."""
    store.set_setting(transaction, UNSAFE_SINGLE_COPY, "on" if on else "off")
