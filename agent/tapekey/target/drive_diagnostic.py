"""SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS: the self-test passes, and there are no pages (reference 11.5)."""

from tapekey.exchange import Command
from tapekey.scsi import diagnostic
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import invalid_cdb, invalid_parameter
from tapekey.target.state import Drive
from tapekey.wire.layout import decode

SUPPORTED = 0x00  # the one page: which pages there are


def send_diagnostic(drive: Drive, nexus: Nexus, command: Command) -> None:
    """SEND DIAGNOSTIC (1Dh): the default self-test. Pages, such as that which forces a dump, are refused."""
    cdb = decode(diagnostic.SendDiagnostic, command.cdb)
    if cdb.code:
        raise invalid_cdb(1, 7)
    if cdb.self_test and cdb.length:
        raise invalid_cdb(3)
    if cdb.length and bytes(drive.plain_out(command, cdb.length)) != diagnostic.SUPPORTED_LIST:
        raise invalid_parameter(0)


def receive_diagnostic(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """RECEIVE DIAGNOSTIC RESULTS (1Ch)."""
    cdb = decode(diagnostic.ReceiveDiagnostic, command.cdb)
    if cdb.page_valid and cdb.page != SUPPORTED:
        raise invalid_cdb(2)
    return diagnostic.encode_supported([SUPPORTED])[: cdb.room]
