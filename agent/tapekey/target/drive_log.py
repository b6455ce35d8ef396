"""LOG SENSE and LOG SELECT (reference 1.11, 11.4)."""

from collections.abc import Callable, Mapping
from typing import Final

from tapekey.exchange import Command
from tapekey.scsi import log, tape_alert
from tapekey.scsi.log import LogPage
from tapekey.target import drive_log_counters, drive_log_status, drive_log_volume
from tapekey.target.nexus import Nexus
from tapekey.target.refusal import invalid_cdb
from tapekey.target.state import Drive
from tapekey.target.unit_attention import Attention
from tapekey.wire.layout import decode

Page = Callable[[Drive, Nexus], bytes]


def log_sense(drive: Drive, nexus: Nexus, command: Command) -> bytes:
    """LOG SENSE (4Dh)."""
    cdb = decode(log.LogSense, command.cdb)
    if cdb.save:
        raise invalid_cdb(1, 0)
    if cdb.page_control not in (log.Control.CUMULATIVE, log.Control.DEFAULT_CUMULATIVE, log.Control.THRESHOLD):
        raise invalid_cdb(2, 7)
    page = _pages(drive).get(cdb.page)
    if cdb.page is LogPage.SUPPORTED and cdb.subpage == log.ALL_SUBPAGES:
        pages = [*((code, 0) for code in _pages(drive)), *_subpages(drive)]
        return log.encode_supported_subpages(pages)[: cdb.room]
    if page is None:
        raise invalid_cdb(2, 5)
    if cdb.subpage:
        page = _subpages(drive).get((cdb.page, cdb.subpage))
        if page is None:
            raise invalid_cdb(3)
    image = _from(page(drive, nexus), cdb)
    if cdb.page is LogPage.TAPE_ALERT and cdb.room >= len(image) and not cdb.first:
        nexus.tape_alerts.clear()
    return image[: cdb.room]


def _from(image: bytes, cdb: log.LogSense) -> bytes:
    """The page from the parameter pointer on; a pointer behind its last parameter is refused."""
    if not cdb.first:
        return image
    if cdb.page is LogPage.SUPPORTED:
        raise invalid_cdb(5)
    whole = log.decode_page(image, cdb.page, cdb.subpage)
    kept = tuple(item for item in whole.parameters if item.code >= cdb.first)
    if not kept:
        raise invalid_cdb(5)
    return log.encode_page(log.Page(cdb.page, kept, cdb.subpage))


def log_select(drive: Drive, nexus: Nexus, command: Command) -> None:
    """LOG SELECT (4Ch): only the reset of the counters of a page, or with page 00h of all."""
    cdb = decode(log.LogSelect, command.cdb)
    if cdb.length:
        raise invalid_cdb(7)
    if cdb.save:
        raise invalid_cdb(1, 0)
    if cdb.subpage:
        raise invalid_cdb(3)
    if cdb.page not in _pages(drive):
        raise invalid_cdb(2, 5)
    if not cdb.parameter_reset:
        return
    everything = cdb.page is LogPage.SUPPORTED
    for page, reset in RESETS.items():
        if everything or page is cdb.page:
            reset(drive, nexus)
    drive.nexuses.tell_others(nexus, Attention.LOG_CHANGED)


def _reset_alerts(drive: Drive, nexus: Nexus) -> None:
    nexus.tape_alerts.clear()


def _reset_write_errors(drive: Drive, nexus: Nexus) -> None:
    drive.activity.hard_write_errors = 0


def _reset_read_errors(drive: Drive, nexus: Nexus) -> None:
    drive.activity.hard_read_errors = 0


def _reset_amounts(drive: Drive, nexus: Nexus) -> None:
    counts = drive.activity
    counts.host_written = counts.host_read = counts.medium_written = counts.medium_read = 0


def _supported(drive: Drive, nexus: Nexus) -> bytes:
    return log.encode_supported(_pages(drive))


def _flags(nexus: Nexus) -> frozenset[tape_alert.TapeAlert]:
    return frozenset(map(tape_alert.TapeAlert, nexus.tape_alerts))


def _tape_alert(drive: Drive, nexus: Nexus) -> bytes:
    return tape_alert.encode_tape_alerts(_flags(nexus))


def _tape_alert_response(drive: Drive, nexus: Nexus) -> bytes:
    return tape_alert.encode_tape_alert_response(_flags(nexus))


PAGES: Final[Mapping[LogPage, Page]] = {
    LogPage.SUPPORTED: _supported,
    LogPage.WRITE_ERRORS: drive_log_counters.write_errors_page,
    LogPage.READ_ERRORS: drive_log_counters.read_errors_page,
    LogPage.NON_MEDIUM_ERRORS: drive_log_counters.non_medium_errors_page,
    LogPage.SEQUENTIAL_ACCESS: drive_log_counters.sequential_access_page,
    LogPage.TEMPERATURE: drive_log_counters.temperature_page,
    LogPage.DEVICE_STATUS: drive_log_status.device_status_page,
    LogPage.TAPE_ALERT_RESPONSE: _tape_alert_response,
    LogPage.DEVICE_STATISTICS: drive_log_counters.device_statistics_page,
    LogPage.TAPE_DIAGNOSTIC: drive_log_counters.diagnostic_data_page,
    LogPage.VOLUME_STATISTICS: drive_log_volume.volume_statistics_page,
    LogPage.DATA_COMPRESSION: drive_log_counters.compression_page,
    LogPage.TAPE_ALERT: _tape_alert,
    LogPage.TAPE_USAGE: drive_log_volume.tape_usage_page,
    LogPage.TAPE_CAPACITY: drive_log_volume.tape_capacity_page,
    LogPage.DATA_COMPRESSION_VENDOR: drive_log_counters.compression_vendor_page,
}
SUBPAGES: Final[Mapping[tuple[LogPage, int], Page]] = {
    (LogPage.VOLUME_STATISTICS, 1): drive_log_volume.former_volume_page,
    (LogPage.VOLUME_STATISTICS, 2): drive_log_volume.volume_before_page,
}
RESETS: Final[Mapping[LogPage, Callable[[Drive, Nexus], None]]] = {
    LogPage.WRITE_ERRORS: _reset_write_errors,
    LogPage.READ_ERRORS: _reset_read_errors,
    LogPage.DATA_COMPRESSION: _reset_amounts,
    LogPage.TAPE_ALERT: _reset_alerts,
}
VENDOR: Final = frozenset({LogPage.TAPE_USAGE, LogPage.TAPE_CAPACITY, LogPage.DATA_COMPRESSION_VENDOR})


def _pages(drive: Drive) -> dict[LogPage, Page]:
    absent = frozenset() if drive.personality.ibm_pages else VENDOR
    if not drive.personality.tape_alert:
        absent |= {LogPage.TAPE_ALERT, LogPage.TAPE_ALERT_RESPONSE}
    return {code: page for code, page in PAGES.items() if code not in absent}


def _subpages(drive: Drive) -> Mapping[tuple[LogPage, int], Page]:
    """IBM's drives tell of the two volumes before the latest."""
    return SUBPAGES if drive.personality.ibm_pages else {}
