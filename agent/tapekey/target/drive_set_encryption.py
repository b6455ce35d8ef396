"""SECURITY PROTOCOL OUT: Set Data Encryption, held against the tables of the reference (3.2, 3.3).

The whole list is checked before anything changes. Which field is wrong is said by the sense data's field pointer.
"""

from dataclasses import dataclass

from tapekey.errors import Malformed
from tapekey.exchange import Command
from tapekey.scsi.codes import SecurityProtocol
from tapekey.scsi.encryption import (
    Ceem,
    DecryptionMode,
    EncryptionMode,
    KadFormat,
    KeyFormat,
    OutPage,
    Rdmc,
    Scope,
)
from tapekey.scsi.kad import Kad, KadType, decode_kads
from tapekey.scsi.security import SecurityCdb
from tapekey.scsi.sense import point_at
from tapekey.scsi.set_encryption import SetDataEncryption
from tapekey.secret import Secret
from tapekey.target.nexus import Nexus
from tapekey.target.parameters import ParameterSet
from tapekey.target.personality import Algorithm, KadRule, RawDecryption
from tapekey.target.refusal import Refusal, data_protect, illegal, invalid_cdb, invalid_parameter, list_length
from tapekey.target.state import Drive
from tapekey.wire.layout import decode, size_of

HEAD = size_of(SetDataEncryption)
KEY_SIZE = 32
METADATA = 64  # length of M-KAD
NONCE = 12
DECRYPTING = (DecryptionMode.DECRYPT, DecryptionMode.MIXED)


@dataclass(frozen=True, slots=True)
class Asked:
    """A parameter list taken apart."""

    page: SetDataEncryption
    key: Secret | None
    kads: tuple[Kad, ...]

    @property
    def idle(self) -> bool:
        """Nothing is encrypted or decrypted: DISABLE on both sides."""
        return self.page.encryption is EncryptionMode.DISABLE and self.page.decryption is DecryptionMode.DISABLE

    @property
    def needs_key(self) -> bool:
        return self.page.encryption is EncryptionMode.ENCRYPT or self.page.decryption in DECRYPTING


def security_protocol_out(drive: Drive, nexus: Nexus, command: Command) -> None:
    """SECURITY PROTOCOL OUT (B5h)."""
    cdb = _checked_cdb(drive, command)
    if cdb.length == 0:
        return
    asked = _taken_apart(drive.data_out(command, cdb.length))
    drive.require_application_management()
    _check_fields(drive, nexus, asked)
    nexus.registered = True
    _carry_out(drive, nexus, asked)


def _checked_cdb(drive: Drive, command: Command) -> SecurityCdb:
    cdb = decode(SecurityCdb, command.cdb)
    if cdb.security_protocol != SecurityProtocol.TAPE_DATA_ENCRYPTION:
        raise invalid_cdb(1)
    drive.require_configured()
    if cdb.security_protocol_specific != OutPage.SET_DATA_ENCRYPTION:
        raise invalid_cdb(2)
    if cdb.inc_512:
        raise invalid_cdb(4, 7)
    return cdb


def _taken_apart(data: Secret) -> Asked:
    """Lengths first: a list shorter than its page, or a page shorter than its key, is refused."""
    with data.reveal() as view:
        if len(view) < HEAD:
            raise list_length()
        page = decode(SetDataEncryption, view[:HEAD])
        end, key_end = 4 + page.page_length, HEAD + page.key_length
        if page.page_code != OutPage.SET_DATA_ENCRYPTION:
            raise _objection("page_code")
        if end < HEAD or end > len(view):
            raise _objection("page_length")
        if key_end > end:
            raise _objection("key_length")
        key = Secret(view[HEAD:key_end]) if page.key_length else None
        try:
            kads = decode_kads(bytes(view[key_end:end]))
        except Malformed as error:
            raise invalid_parameter(key_end) from error
    return Asked(page, key, kads)


def _objection(name: str) -> Refusal:
    """5/26/00 that points at a field of the page."""
    return illegal(0x26, 0x00, point_at(SetDataEncryption, name))


def _check_fields(drive: Drive, nexus: Nexus, asked: Asked) -> None:
    page = asked.page
    if drive.wrong_keys_exhausted:
        raise data_protect(0x26, 0x10)
    if not page.scope.known:
        raise _objection("scope")
    if page.scope is Scope.PUBLIC:
        return
    _check_modes(drive, page)
    _check_clear_conditions(drive, nexus, page)
    if not asked.idle:
        algorithm = drive.algorithm(page.algorithm_index)
        if algorithm is None or not (drive.mounted or drive.personality.takes_key_when_empty):
            raise _objection("algorithm_index")
        _check_key(drive, asked)
        _check_kads(drive, asked, algorithm)


def _check_modes(drive: Drive, page: SetDataEncryption) -> None:
    allowed_raw = drive.personality.raw is not RawDecryption.NOT_ALLOWED
    if not page.encryption.known:
        raise _objection("encryption")
    if page.encryption is EncryptionMode.EXTERNAL and drive.personality.external_mode != 2:
        raise _objection("encryption")
    if not page.decryption.known or (page.decryption is DecryptionMode.RAW and not allowed_raw):
        raise _objection("decryption")
    if page.ceem in (Ceem.REFUSE_EXTERNAL, Ceem.REFUSE_ENCRYPTED) and page.decryption is DecryptionMode.DISABLE:
        raise _objection("ceem")
    marks = page.encryption is EncryptionMode.ENCRYPT and page.rdmc is not Rdmc.DEFAULT
    if marks and not (page.rdmc.known and allowed_raw):
        raise _objection("rdmc")


def _check_clear_conditions(drive: Drive, nexus: Nexus, page: SetDataEncryption) -> None:
    if page.sdk:
        raise _objection("sdk")
    if page.lock and not drive.personality.locks:
        raise _objection("lock")
    if page.ckod and not drive.mounted:
        raise _objection("ckod")
    if page.ckorp and not drive.reservations.holds(nexus.name):
        raise _objection("ckorp")
    if page.ckorl and not drive.reservations.holds_any(nexus.name):
        raise _objection("ckorl")


def _check_key(drive: Drive, asked: Asked) -> None:
    page = asked.page
    if page.key_format not in drive.personality.key_formats:
        raise _objection("key_format")
    if page.kad_format and not (drive.personality.kad_format and KadFormat(page.kad_format).known):
        raise _objection("kad_format")
    if asked.needs_key and asked.key is None:
        raise _objection("key_length")
    if asked.key is not None and page.key_format is KeyFormat.PLAINTEXT and page.key_length != KEY_SIZE:
        raise _objection("key_length")


def _check_kads(drive: Drive, asked: Asked, algorithm: Algorithm) -> None:
    at = HEAD + asked.page.key_length
    types = [kad.type for kad in asked.kads]
    if any(not kind.known for kind in types) or types != sorted(set(types)):
        raise invalid_parameter(at)
    if drive.personality.kad_flags_checked and any(kad.authentication for kad in asked.kads):
        raise invalid_parameter(at + 1)
    _check_kad_places(drive, asked, at)
    _check_kad_sizes(drive, asked, algorithm, at)


def _check_kad_places(drive: Drive, asked: Asked, at: int) -> None:
    """Which kinds go with which modes: the matrix of the reference's 3.2."""
    page, rule = asked.page, drive.personality.kad_rule
    types = {kad.type for kad in asked.kads}
    external = page.encryption is EncryptionMode.EXTERNAL
    if external and KadType.METADATA not in types:
        raise invalid_parameter(at) if rule is not KadRule.ORACLE else _objection("encryption")
    if rule is KadRule.ORACLE:
        if page.decryption in DECRYPTING and KadType.UNAUTHENTICATED not in types:
            raise illegal(0x26, 0x11)
        return
    allowed = {
        EncryptionMode.DISABLE: set(),
        EncryptionMode.EXTERNAL: {KadType.METADATA},
        EncryptionMode.ENCRYPT: {KadType.UNAUTHENTICATED, KadType.AUTHENTICATED, KadType.NONCE},
    }[page.encryption]
    if rule is KadRule.IBM and types - allowed:
        raise invalid_parameter(at)


def _check_kad_sizes(drive: Drive, asked: Asked, algorithm: Algorithm, at: int) -> None:
    room = {
        KadType.UNAUTHENTICATED: range(1, algorithm.max_ukad + 1),
        KadType.AUTHENTICATED: range(1, algorithm.max_akad + 1),
        KadType.NONCE: range(NONCE, NONCE + 1),
        KadType.METADATA: range(METADATA, METADATA + 1),
        KadType.WRAPPED_KEY: range(0),
    }
    latent = (KadType.UNAUTHENTICATED, KadType.AUTHENTICATED) if drive.personality.kad_size_latent else ()
    for kad in asked.kads:
        if len(kad.value) not in room[kad.type] and not (kad.type in latent and kad.value):
            raise invalid_parameter(at)
        at += 4 + len(kad.value)


def _carry_out(drive: Drive, nexus: Nexus, asked: Asked) -> None:
    page = asked.page
    if page.scope is Scope.PUBLIC:
        drive.parameters.share(nexus)
    else:
        drive.parameters.establish(nexus, _parameters(drive, asked), drive.nexuses)
    nexus.locked_at = drive.parameters.used_by(nexus).counter if page.lock else None
    drive.tries.new_key()


def _parameters(drive: Drive, asked: Asked) -> ParameterSet:
    """The set that the page describes; what its modes do not use is dropped here."""
    page = asked.page
    kads = () if asked.idle else tuple(Kad(kad.type, kad.value) for kad in asked.kads)
    return ParameterSet(
        scope=page.scope,
        encryption=page.encryption,
        decryption=page.decryption,
        algorithm_index=page.algorithm_index,
        key=_key(drive, asked) if asked.needs_key else None,
        kads=kads,
        kad_format=KadFormat.UNSPECIFIED if asked.idle else page.kad_format,
        ceem=page.ceem,
        rdmc=page.rdmc if page.encryption is EncryptionMode.ENCRYPT else Rdmc.DEFAULT,
        ckod=page.ckod,
        ckorp=page.ckorp,
        ckorl=page.ckorl,
    )


def _key(drive: Drive, asked: Asked) -> Secret | None:
    if asked.key is None or asked.page.key_format is KeyFormat.PLAINTEXT:
        return asked.key
    key = drive.unwrap(asked.key)
    if key is None or len(key) != KEY_SIZE:
        raise illegal(0x74, 0x0C)
    return key
