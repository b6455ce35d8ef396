"""The drive's own guard: writes require encryption (WRE, mode page 10h/01h), current and saved.

A closed drive refuses clear writes whoever sends them. It does not stop whoever may send MODE SELECT.
"""

from dataclasses import dataclass, replace

from tapekey.errors import DriveLied, Malformed, RequestRefused
from tapekey.exchange import Transport
from tapekey.scsi import mode, mode_page
from tapekey.scsi.mode import Answer, Control, RawPage
from tapekey.scsi.mode_page import DeviceConfigurationExtension, ModePage
from tapekey.scsi.run import run

NOT_THERE = frozenset({"5/20/00", "5/24/00", "5/39/00"})  # no MODE SENSE(10), no such page, no saved values


@dataclass(frozen=True, slots=True)
class GuardState:
    """The page as it stands, as bytes: they are kept, so that `put_back` can restore what was there before us."""

    current: bytes
    saved: bytes

    @property
    def closed(self) -> bool:
        """WRE in the current values."""
        return _page(self.current).writes_require_encryption

    @property
    def saved_closed(self) -> bool:
        """WRE in the values that the next power-on begins with."""
        return _page(self.saved).writes_require_encryption


def available(transport: Transport) -> bool:
    """Whether the drive has the bit, lets it be changed, and keeps it. "No" is only the drive's own word."""
    try:
        _read(transport, Control.SAVED)
        changeable = _read(transport, Control.CHANGEABLE)
    except RequestRefused as error:
        if error.code not in NOT_THERE:
            raise
        return False
    return _page(_image(changeable)).writes_require_encryption


def look(transport: Transport) -> GuardState:
    """Read the page's current and saved values. RequestRefused: the drive has no such page."""
    return GuardState(_image(_read(transport, Control.CURRENT)), _image(_read(transport, Control.SAVED)))


def close(transport: Transport) -> GuardState:
    """Let no clear write pass: set WRE, current and saved, and read it back. Returns what stood there before."""
    return _set(transport, writes_require_encryption=True)


def open(transport: Transport) -> GuardState:
    """Let clear writes pass again: clear WRE, current and saved, and read it back. Returns what stood there before."""
    return _set(transport, writes_require_encryption=False)


def put_back(transport: Transport, original: GuardState) -> None:
    """Restore the page as it was before us, current and saved, and read it back."""
    _select(transport, original)
    _compare(original, look(transport))


def _set(transport: Transport, *, writes_require_encryption: bool) -> GuardState:
    before = look(transport)
    wanted = GuardState(*(_with(image, writes_require_encryption) for image in (before.current, before.saved)))
    if wanted != before:
        _select(transport, wanted)
    _compare(wanted, look(transport))
    return before


def _select(transport: Transport, wanted: GuardState) -> None:
    """Saved values first: saving sets the current ones too, which may differ in what is not ours."""
    answer = _read(transport, Control.CURRENT)
    run(transport, mode.mode_select(_replaced(answer, wanted.saved), save=True))
    if wanted.current != wanted.saved:
        run(transport, mode.mode_select(_replaced(answer, wanted.current)))


def _compare(wanted: GuardState, found: GuardState) -> None:
    for name, asked, reported in (("current", wanted.current, found.current), ("saved", wanted.saved, found.saved)):
        if asked != reported:
            raise DriveLied(
                "the drive's write guard is not as it was set",
                why=f"{name} values of mode page 10h/01h: asked {asked.hex()}, reported {reported.hex()}",
                mend="do not rely on this drive's guard; look whether a library sets it",
            )


def _read(transport: Transport, values: Control) -> Answer:
    page, subpage = ModePage.DEVICE_CONFIGURATION, mode_page.EXTENSION
    command = mode.mode_sense(page, subpage, values=values, descriptor=False)
    return mode.decode_answer_10(run(transport, command))


def _image(answer: Answer) -> bytes:
    """The page's bytes without the bit that says it can be saved, which differs between reading and setting."""
    page = answer.read(DeviceConfigurationExtension)
    if page is None:
        raise Malformed("the drive sent another mode page", why="10h/01h was asked for")
    if page.length != DeviceConfigurationExtension().length:
        raise Malformed("mode page 10h/01h is longer than we know it", why=f"its length is {page.length:04X}h")
    return mode.raw(replace(page, saveable=False)).image


def _page(image: bytes) -> DeviceConfigurationExtension:
    page = Answer(pages=(RawPage(image),)).read(DeviceConfigurationExtension)
    if page is None:
        raise Malformed("these are not the bytes of mode page 10h/01h")
    return page


def _with(image: bytes, writes_require_encryption: bool) -> bytes:
    return mode.raw(replace(_page(image), writes_require_encryption=writes_require_encryption)).image


def _replaced(answer: Answer, image: bytes) -> Answer:
    return replace(answer, pages=(RawPage(image),))
