"""SECURITY PROTOCOL IN: what the drive says of its encryption (reference 1.2 and 2)."""

import secrets
from collections.abc import Callable, Mapping
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import encryption, encryption_status, encryption_support, wrapped_key
from tapekey.scsi.codes import SecurityProtocol
from tapekey.scsi.encryption import EncryptionMode, InPage, OutPage, Rdmc
from tapekey.scsi.security import SecurityCdb
from tapekey.target import wrapping
from tapekey.target.next_block import next_block
from tapekey.target.nexus import Nexus
from tapekey.target.personality import Algorithm, Management, RawDecryption
from tapekey.target.refusal import invalid_cdb
from tapekey.target.state import Drive
from tapekey.wire.layout import decode

PROTOCOLS: Final = (SecurityProtocol.INFORMATION, SecurityProtocol.TAPE_DATA_ENCRYPTION)
Page = Callable[[Drive, Nexus], bytes]


def security_protocol_in(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """SECURITY PROTOCOL IN (A2h)."""
    cdb = decode(SecurityCdb, command.cdb)
    if cdb.inc_512:
        raise invalid_cdb(4, 7)
    if cdb.security_protocol == SecurityProtocol.INFORMATION:
        return _information(cdb.security_protocol_specific)[: cdb.length]
    if cdb.security_protocol != SecurityProtocol.TAPE_DATA_ENCRYPTION:
        raise invalid_cdb(1)
    drive.require_configured()
    page = InPage(cdb.security_protocol_specific)
    if page not in drive.personality.in_pages:
        raise invalid_cdb(2)
    nexus.registered = True
    return PAGES[page](drive, nexus)[: cdb.length]


def _information(page: int) -> bytes:
    """Protocol 00h: the list of protocols, and a certificate page without a certificate."""
    if page == 0x0000:
        return bytes(6) + len(PROTOCOLS).to_bytes(2, "big") + bytes(PROTOCOLS)
    if page == 0x0001:
        return bytes(4)
    raise invalid_cdb(2)


def _in_support(drive: Drive, nexus: Nexus) -> bytes:
    return encryption.encode_page(encryption_support.InSupport(pages=tuple(map(InPage, drive.personality.in_pages))))


def _out_support(drive: Drive, nexus: Nexus) -> bytes:
    return encryption.encode_page(encryption_support.OutSupport(pages=(OutPage.SET_DATA_ENCRYPTION,)))


def _key_formats(drive: Drive, nexus: Nexus) -> bytes:
    formats = tuple(map(encryption.KeyFormat, drive.personality.key_formats))
    return encryption.encode_page(encryption_support.KeyFormats(formats=formats))


def _capabilities(drive: Drive, nexus: Nexus) -> bytes:
    facts = drive.personality
    allowed = facts.management is Management.APPLICATION
    page = encryption.Capabilities(
        extdecc=encryption.Capable(facts.external_control),
        cfg_p=encryption.Configuration.ALLOWED if allowed else encryption.Configuration.PREVENTED,
        algorithms=tuple(_descriptor(drive, algorithm) for algorithm in facts.algorithms),
    )
    return encryption.encode_page(page)


def _descriptor(drive: Drive, algorithm: Algorithm) -> encryption.Algorithm:
    facts, cartridge = drive.personality, drive.mounted_cartridge
    valid = cartridge is not None and cartridge.identity.generation.name in algorithm.media
    writable = valid and cartridge is not None and cartridge.identity.generation.name in facts.writes
    cryption = {
        Management.APPLICATION: encryption.Cryption.HARDWARE,
        Management.LIBRARY: encryption.Cryption.EXTERNAL_CONTROL,
    }.get(facts.management, encryption.Cryption.NONE)
    if cartridge is None:
        position = encryption.Validity.NOT_APPLICABLE
    else:
        position = encryption.Validity.VALID if writable else encryption.Validity.NOT_VALID
    return encryption.Algorithm(
        index=algorithm.index,
        avfmv=valid,
        mac_c=True,
        delb_c=True,
        decrypt_c=cryption,
        encrypt_c=cryption,
        avfclp=position,
        nonce_c=encryption.NonceCapability.EITHER if facts.ibm_pages else encryption.NonceCapability.DEVICE,
        kadf_c=facts.kad_format,
        vcelb_c=True,
        max_ukad=algorithm.max_ukad,
        max_akad=algorithm.max_akad,
        key_size=32,
        dkad_c=encryption.DkadCapability(facts.dkad),
        eemc_c=encryption.ExternalCapability(facts.external_mode),
        rdmc_c=encryption.RawCapability(facts.raw),
        earem=facts.records_mode,
        code=encryption.AlgorithmCode(algorithm.code if cartridge is None else algorithm.code_mounted),
    )


def _management(drive: Drive, nexus: Nexus) -> bytes:
    page = encryption.ManagementCapabilities(
        lock_c=drive.personality.locks,
        ckod_c=True,
        ckorp_c=True,
        ckorl_c=True,
        aitn_c=True,
        local_c=True,
        public_c=True,
    )
    return encryption.encode_page(page)


def _status(drive: Drive, nexus: Nexus) -> bytes:
    facts, used = drive.personality, drive.parameters.used_by(nexus)
    control = facts.parameters_control
    if facts.management is Management.LIBRARY:
        control = encryption_status.ParametersControl.AUTOMATION
    raw_disabled = used.rdmc is Rdmc.DISABLE_RAW or (
        used.rdmc is Rdmc.DEFAULT and facts.raw is not RawDecryption.ENABLED
    )
    page = encryption_status.EncryptionStatus(
        nexus_scope=nexus.scope,
        parameters_scope=used.scope,
        encryption=used.encryption,
        decryption=used.decryption,
        algorithm_index=used.algorithm_index,
        key_instance_counter=used.counter,
        parameters_control=encryption_status.ParametersControl(control),
        vcelb=drive.volume_has_encrypted_blocks(),
        ceems=used.ceem,
        rdmd=used.encryption is EncryptionMode.ENCRYPT and raw_disabled,
        kad_format=used.kad_format if facts.kad_format else encryption.KadFormat.UNSPECIFIED,
        kads=used.kads,
    )
    return encryption_status.encode_status(page)


def _next_block(drive: Drive, nexus: Nexus) -> bytes:
    return encryption_status.encode_next_block(next_block(drive, nexus))


def _random(drive: Drive, nexus: Nexus) -> bytes:
    return encryption.encode_page(encryption_support.RandomNumber(number=secrets.token_bytes(32)))


def _public_key(drive: Drive, nexus: Nexus) -> bytes:
    if drive.wrapping_key is None:
        raise invalid_cdb(2)
    return wrapped_key.encode_public_key(wrapping.public(drive.wrapping_key))


PAGES: Final[Mapping[InPage, Page]] = {
    InPage.IN_SUPPORT: _in_support,
    InPage.OUT_SUPPORT: _out_support,
    InPage.CAPABILITIES: _capabilities,
    InPage.KEY_FORMATS: _key_formats,
    InPage.MANAGEMENT_CAPABILITIES: _management,
    InPage.STATUS: _status,
    InPage.NEXT_BLOCK_STATUS: _next_block,
    InPage.RANDOM_NUMBER: _random,
    InPage.PUBLIC_KEY: _public_key,
}
