"""A drive behind iSCSI, reached by this process itself: one session of libiscsi, through `tapekey.native_iscsi`.

One open device is one session, which is one I_T nexus, with one command under way. When the session ends (a time-out, a
lost connection) every later command fails: logging in again would be a new nexus, for which the drive's parameters,
reservations and attentions are other ones, and that is for the caller to know. libiscsi's own reconnection is off, and
its connect-with-TEST-UNIT-READY is not used, which takes unit attentions.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tapekey.errors import TimedOut, TransportFailed
from tapekey.exchange import Command, Reply
from tapekey.secret import Secret
from tapekey.transport.iscsi_address import Address, parse

CONNECT_TIMEOUT: Final = 30.0  # seconds to connect, and again to log in
LOGOUT_TIMEOUT: Final = 2.0
SLICE: Final = 0.5  # seconds after which Python looks for signals
ATTENTION: Final = 1.0  # seconds between looks at an idle session: targets ping, and hang up when nobody answers
LIBRARYS_OWN: Final = "iscsi_service"  # names of its functions, which tell an operator nothing
SENSE_ROOM: Final = 252
LONGEST_TRANSFER: Final = (1 << 24) - 1
NONE, TO_DEVICE, FROM_DEVICE = range(3)


@dataclass(frozen=True, slots=True)
class Chap:
    """What CHAP needs: who we are, and, if the target has to prove itself too, who it is. A name and a secret each."""

    user: str
    secret: Secret
    peer_user: str = ""
    peer_secret: Secret | None = None


class Device:
    """A logged-in session, seen from one logical unit: a transport."""

    def __init__(self, address: Address, session: Any) -> None:
        self.address = address
        self._session: Any = session
        self._lock = threading.Lock()

    def execute(self, command: Command) -> Reply:
        """Deliver one command and return the target's answer. Whatever goes wrong ends the session."""
        with self._lock:
            if self._session is None:
                raise TransportFailed(
                    f"the session with {self.address} has ended",
                    why="an earlier command failed; a new session is a new initiator to the drive",
                    mend="give the tapekey command again",
                )
            try:
                return self._exchange(command)
            except BaseException:
                self._drop()
                raise

    def _exchange(self, command: Command) -> Reply:
        from tapekey.native_iscsi import ffi, lib

        direction, data = _data(command)
        began = lib.initiator_start(
            self._session,
            self.address.lun,
            command.cdb,
            len(command.cdb),
            direction,
            ffi.cast("uint8_t *", ffi.from_buffer(data)),
            len(data),
        )
        self._settle(began, command)
        sense, answer = bytearray(SENSE_ROOM), ffi.new("struct initiator_answer *")
        lib.initiator_answer(self._session, answer, ffi.from_buffer(sense), SENSE_ROOM)
        arrived = bytes(data[: answer.arrived]) if direction == FROM_DEVICE else b""
        return Reply(answer.status, arrived, bytes(sense[: answer.sense_size]))

    def _settle(self, code: int, command: Command) -> None:
        """Wait until the command has been answered."""
        from tapekey.native_iscsi import lib

        code = _wait(self._session, code, command.timeout)
        if code == lib.INITIATOR_DONE:
            return
        name = f"{command.cdb[0]:02X}h"
        if code == lib.INITIATOR_WAITING:
            raise TimedOut(
                f"{self.address} did not answer command {name} in {command.timeout:g} s",
                why="the session was closed, so the target aborts it; what it did until then is not known",
                mend="look at the drive and the network; read the encryption status before writing",
            )
        raise TransportFailed(
            f"command {name} did not reach {self.address}, or its answer did not come back",
            why=f"the session was lost: {_why(self._session)}",
            mend="look at the target and the network; read the encryption status before writing",
        )

    def look(self) -> None:
        """Answer what the target asked while nothing was under way; a session that is gone is noticed."""
        from tapekey.native_iscsi import lib

        with self._lock:
            if self._session is not None and lib.initiator_look(self._session) == lib.INITIATOR_LOST:
                self._drop()

    def _drop(self) -> None:
        """Close the connection; nothing of libiscsi touches a buffer of ours from here on."""
        from tapekey.native_iscsi import lib

        session, self._session = self._session, None
        if session is not None:
            lib.initiator_close(session)

    def close(self) -> None:
        """Log out, and close."""
        from tapekey.native_iscsi import lib

        with self._lock:
            if self._session is not None:
                lib.initiator_logout(self._session, round(LOGOUT_TIMEOUT * 1000))
            self._drop()


@contextmanager
def open_device(uri: str, name: str, chap: Chap | None = None) -> Iterator[Device]:
    """Log in as initiator `name`; no SCSI command is sent."""
    address = parse(uri)
    _demand_native()
    device = Device(address, _logged_in(address, name, chap))
    stop = threading.Event()
    keeper = threading.Thread(target=_keep, args=(device, stop), name=f"iSCSI session with {address}", daemon=True)
    keeper.start()
    try:
        yield device
    finally:
        stop.set()
        keeper.join()
        device.close()


def _keep(device: Device, stop: threading.Event) -> None:
    while not stop.wait(ATTENTION):
        device.look()


def _logged_in(address: Address, name: str, chap: Chap | None) -> Any:
    from tapekey.native_iscsi import ffi, lib

    login, kept = _login(address, name, chap)
    session = lib.initiator_new(login)
    if session == ffi.NULL:
        raise TransportFailed("no memory for an iSCSI session", mend="free memory, then try again")
    try:
        _connect(session, address)
        _enter(session, login, address, chap)
    except BaseException:
        lib.initiator_close(session)
        raise
    finally:
        kept.clear()
    lib.initiator_forget(session)
    return session


def _connect(session: Any, address: Address) -> None:
    from tapekey.native_iscsi import lib

    code = _wait(session, lib.initiator_connect(session), CONNECT_TIMEOUT)
    if code == lib.INITIATOR_WAITING:
        raise TimedOut(
            f"{address.portal} did not answer in {CONNECT_TIMEOUT:g} s", mend="look at host, port and network"
        )
    if code != lib.INITIATOR_DONE:
        raise TransportFailed(
            f"cannot connect to {address.portal}",
            why=_why(session),
            mend="look whether an iSCSI target listens there: iscsi-ls, tapekey target serve",
        )


def _enter(session: Any, login: Any, address: Address, chap: Chap | None) -> None:
    from tapekey.native_iscsi import lib

    code = _wait(session, lib.initiator_login(session, login), CONNECT_TIMEOUT)
    if code == lib.INITIATOR_WAITING:
        raise TimedOut(f"{address.portal} did not finish the login in {CONNECT_TIMEOUT:g} s", mend="look at the target")
    if code != lib.INITIATOR_DONE:
        secret = (
            "look at the CHAP names and secrets of both sides"
            if chap
            else "a target that wants CHAP: see iscsi_chap_file"
        )
        raise TransportFailed(
            f"{address.portal} did not let us in to {address.target}",
            why=_why(session),
            mend=f"look at the target's name; {secret}",
        )


def _login(address: Address, name: str, chap: Chap | None) -> tuple[Any, list[Any]]:
    """The C structure, and what has to live as long as it is used."""
    from tapekey.native_iscsi import ffi

    texts = {"portal": address.portal, "target": address.target, "name": name}
    strings = {field: ffi.new("char[]", text.encode()) for field, text in texts.items()}
    kept: list[Any] = list(strings.values())
    login = ffi.new("struct initiator_login *", strings)
    pairs = [("", chap.user, chap.secret), ("peer_", chap.peer_user, chap.peer_secret)] if chap else []
    for prefix, user, secret in pairs:
        if secret is not None:
            lent = ffi.from_buffer("uint8_t[]", user.encode()), ffi.from_buffer("uint8_t[]", secret.reveal())
            kept += lent
            setattr(login, f"{prefix}user", lent[0])
            setattr(login, f"{prefix}user_size", len(lent[0]))
            setattr(login, f"{prefix}secret", lent[1])
            setattr(login, f"{prefix}secret_size", len(lent[1]))
    return login, kept


def _wait(session: Any, code: int, seconds: float) -> int:
    """Until it is done, lost, or WAITING at the end of its time; signals are seen in between."""
    from tapekey.native_iscsi import lib

    end = time.monotonic() + seconds
    while code == lib.INITIATOR_WAITING and (left := end - time.monotonic()) > 0:
        code = lib.initiator_wait(session, max(1, round(min(left, SLICE) * 1000)))
    return int(code)


def _why(session: Any) -> str:
    from tapekey.native_iscsi import ffi, lib

    text = ffi.string(lib.initiator_why(session)).decode("ascii", "replace").strip()
    told = text.isprintable() and text and not text.startswith(LIBRARYS_OWN)
    return text if told else "the other side closed the connection"


def _data(command: Command) -> tuple[int, Any]:
    """Which way data goes, and its place. A key is lent from where it is; libiscsi writes it out from there."""
    out = command.data_out
    size = max(len(out), command.data_in_max)
    if size > LONGEST_TRANSFER:
        raise ValueError(f"a command moves at most {LONGEST_TRANSFER} bytes")
    if len(out):
        return TO_DEVICE, out.reveal() if isinstance(out, Secret) else out
    return (FROM_DEVICE, bytearray(command.data_in_max)) if command.data_in_max else (NONE, b"")


def _demand_native() -> None:
    try:
        import tapekey.native_iscsi  # noqa: F401
    except ImportError as error:
        raise TransportFailed(
            "the iSCSI initiator is not built",
            why=str(error),
            mend="install gcc, libiscsi-dev and Python's headers, then run: python native/build.py",
        ) from error
