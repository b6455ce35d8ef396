"""The canary run: the whole job by the real command line, and then no secret in anything that came of it.

Searched is what every command printed, and every file below the working directory as it stood after each command, but
for the private key files that were asked for. Searched for is every secret that the run made or was given.
"""

import base64
import ctypes
import os
import secrets
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import load_der_private_key

from tapekey.keys import identity_file
from tapekey.keys.identity import Identity
from tapekey.keys.suite import Suite
from tapekey.keystore import data_keys, recipients, slots, store
from tapekey.keystore.birth import SIGNING_KEY
from tapekey.keystore.records import KeyRecord
from tapekey.keystore.slots import KeyFile
from tapekey.keystore.store import Store
from tapekey.secret import Secret
from tests import canary, told

KEY = ("--store", "ks", "--key-file", "root.key")
WORDS = ("--store", "ks", "--passphrase-file", "pass")
DRIVE = "virtual:drive"
TAPE = Random(1).randbytes(50_000)

# Runs tapekey with one function broken, and shows the locals of every frame on the way, as a debugging tool would.
CRASH = """
import importlib, sys, traceback
plain = traceback.print_exc
def with_locals():
    plain()
    print("".join(traceback.TracebackException(*sys.exc_info(), capture_locals=True).format()), file=sys.stderr)
traceback.print_exc = with_locals
module, _, path = sys.argv.pop(1).partition(":")
owner = importlib.import_module(module)
*outer, name = path.split(".")
for each in outer:
    owner = getattr(owner, each)
shipped = getattr(owner, name)
def crash(*args, **more):
    if name == "_exchange" and (len(args[2]) < 3 or args[2][1][0] != 0xB5):  # only SECURITY PROTOCOL OUT
        return shipped(*args, **more)
    raise RuntimeError("injected")
setattr(owner, name, crash)
from tapekey.cli import main
main()
"""
# Runs tapekey, and says at its end whether it could have been dumped (PR_GET_DUMPABLE is 3, prctl(2)).
WATCHED = """
import atexit, ctypes
atexit.register(lambda: print("dumpable", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True))
from tapekey.cli import main
main()
"""
PLAIN = (sys.executable, "-m", "tapekey")


@dataclass
class Run:
    """A working directory, and all that was printed and written there."""

    place: Path
    private: set[str] = field(default_factory=set)  # files that hold a secret because somebody asked for them
    texts: dict[str, bytes] = field(default_factory=dict, repr=False)
    commands: int = 0

    @property
    def environ(self) -> dict[str, str]:
        """Whatever a command leaves for itself, it leaves below the working directory."""
        inside = {"HOME": "home", "TMPDIR": "tmp", "XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "config"}
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return kept | {name: str(self.place / value) for name, value in inside.items()}

    def tapekey(self, *words: str, fails: bool = False, stdin: bytes = b"", crash: str = "") -> bytes:
        """Run one command and keep what it said; its standard output."""
        program = (sys.executable, "-c", CRASH, crash) if crash else PLAIN
        done = subprocess.run(
            [*program, *words],
            cwd=self.place,
            env=self.environ,
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        self.commands += 1
        name = f"{self.commands}: tapekey {' '.join(words)}"
        self.texts |= {f"output of {name}": done.stdout, f"errors of {name}": done.stderr}
        assert (done.returncode != 0) is (fails or bool(crash)), (name, done.stdout, done.stderr)
        assert not crash or b"injected" in done.stderr, (name, done.stderr)
        self.gather()
        return done.stdout

    def gather(self) -> None:
        """Keep every file as it is now, if it is new or was changed."""
        for path in sorted(self.place.rglob("*")):
            name = str(path.relative_to(self.place))
            if path.is_file() and name not in self.private:
                content = path.read_bytes()
                self.texts[f"{name} ({sha256(content).hexdigest()[:8]})"] = content

    def key_file(self, name: str, content: bytes) -> None:
        """A file that holds a secret, for its owner only."""
        self.private.add(name)
        (self.place / name).touch(mode=0o600)
        (self.place / name).write_bytes(content)

    @contextmanager
    def going_on(self, *words: str, program: tuple[str, ...] = PLAIN) -> Iterator[int]:
        """A command that goes on running, and reads from a pipe that says nothing; its process id."""
        out = self.place / f"{words[1]}.out"
        with out.open("wb") as sink:
            running = subprocess.Popen(
                [*program, *words],
                cwd=self.place,
                env=self.environ,
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        try:
            yield running.pid
        finally:
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=30)
            self.gather()

    @contextmanager
    def served(self, *, program: tuple[str, ...] = PLAIN) -> Iterator[int]:
        """The virtual drive, powered on."""
        with self.going_on("target", "serve", "drive", program=program) as pid:
            wait_for(lambda: b" is on" in (self.place / "serve.out").read_bytes())
            yield pid


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- the job ------------------------------------------------------------------------------------------------


def prepare(run: Run, personality: str = "ibm-lto6", generation: str = "lto6") -> None:
    """Keys, keystore, rule, drive and cartridge."""
    run.key_file("root.key", secrets.token_bytes(32))
    run.key_file("pass", secrets.token_urlsafe(32).encode() + b"\n")
    for name, kind in (("recovery", "x25519"), ("partner", "x25519"), ("held", "p384")):
        run.private.add(f"{name}.key")
        run.tapekey("recipient", "generate", kind, f"{name}.key")
    run.tapekey("keystore", "init", *KEY, *WORDS[2:], "--recovery-recipient", "recovery.key.pub")
    run.tapekey("recipient", "add", "partner", "--public-key", "partner.key.pub", *KEY)
    run.tapekey("rule", "add", "ENC*", "--require", "--recipient", "site", "--recipient", "partner", *KEY)
    run.tapekey("target", "create", "drive", "--personality", personality)
    run.tapekey("cartridge", "create", "tape", "--generation", generation, "--barcode", "ENC001L6")


def keep_keys(run: Run) -> None:
    """Recipients of every kind, listed and exported; what a passphrase opens."""
    run.tapekey("recipient", "add", "held", "--private-key", "held.key", *KEY)
    for kind in ("rsa-3072", "mlkem768-x25519", "kek"):
        run.tapekey("recipient", "add", kind, "--generate", kind, *KEY)
    run.private |= {"exported.key", "group.key"}
    run.tapekey("recipient", "export", "site", *KEY)
    run.tapekey("recipient", "export", "site", "--private", "exported.key", *KEY)
    run.tapekey("recipient", "export", "group", "--private", "group.key", *KEY)
    run.tapekey("recipient", "export", "site", "--private", "sealed.key", "--seal-with", "pass", *KEY)
    run.tapekey("keystore", "status", *WORDS)
    for words in (("keystore", "status"), ("keystore", "check"), ("recipient", "list"), ("rule", "list")):
        run.tapekey(*words, *KEY)
        run.tapekey(*words, "--json", *KEY)
    run.tapekey("rule", "test", "ENC001L6", "--json", *KEY)


def write_and_read(run: Run) -> None:
    """The two flows, traced, in words and in JSON."""
    run.tapekey("target", "insert", "drive", "tape")
    run.tapekey("drive", "approve", DRIVE, "--allow-virtual", *KEY)
    run.tapekey("save", DRIVE, "--allow-virtual", "--trace", "save.trace", "--json", *KEY)
    run.tapekey("tape", "write", DRIVE, "--trace", "write.trace", stdin=TAPE)
    for words in (("drive", "status", DRIVE, *KEY), ("drive", "show", DRIVE), ("cartridge", "show", DRIVE)):
        run.tapekey(*words)
        run.tapekey(*words, "--json", "--trace", "show.trace")
    assert run.tapekey("tape", "read", DRIVE, "--trace", "read.trace") == TAPE
    run.tapekey("unload", DRIVE, "--trace", "unload.trace", *KEY)
    run.tapekey("restore", DRIVE, "--allow-virtual", "--trace", "restore.trace", "--json", *KEY)
    run.tapekey("unload", DRIVE, "--json", *KEY)
    run.tapekey("restore", DRIVE, "--identity", "partner.key", "--allow-virtual", "--trace", "alone.trace")
    assert run.tapekey("tape", "read", DRIVE) == TAPE
    run.tapekey("target", "status", "drive", "--json")


def provoke(run: Run) -> None:
    """Errors: what does not open, what is refused, a key set by hand, and crashes."""
    run.key_file("other.key", secrets.token_bytes(32))
    run.key_file("other.pass", secrets.token_urlsafe(32).encode())
    run.key_file("data.key", secrets.token_bytes(32).hex().encode())
    run.key_file("short.key", secrets.token_bytes(31))
    run.tapekey("audit", "show", "--store", "ks", "--key-file", "other.key", fails=True)
    run.tapekey("audit", "show", "--store", "ks", "--passphrase-file", "other.pass", fails=True)
    run.tapekey("audit", "show", "--store", "ks", "--key-file", "short.key", fails=True)
    run.tapekey("restore", DRIVE, "--identity", "recovery.key", fails=True)
    run.tapekey("restore", DRIVE, "--identity", "held.key", "--allow-virtual", fails=True)
    run.tapekey("unload", DRIVE, *KEY)
    run.tapekey("target", "eject", "drive")
    run.tapekey("target", "insert", "drive", "tape")
    run.tapekey("drive", "set-key", DRIVE, "--data-key", "short.key", "--allow-virtual", *KEY, fails=True)
    run.tapekey("drive", "set-key", DRIVE, "--data-key", "data.key", "--allow-virtual", "--trace", "hand.trace", *KEY)
    run.tapekey("tape", "read", DRIVE, "--trace", "wrong.trace", fails=True)
    run.tapekey("drive", "clear-key", DRIVE, *KEY)
    for broken in (
        "tapekey.transport.socket:Connection._exchange",
        "tapekey.drive.parameters:_compare",
        "tapekey.mount.install:verify",
        "tapekey.manager.drive_wrap:material_for",
    ):
        run.tapekey("save", DRIVE, "--allow-virtual", "--trace", "crash.trace", *KEY, crash=broken)
    run.tapekey("recipient", "add", "new", "--generate", "kek", *KEY, crash="tapekey.keys.keywrap:wrap_padded")
    run.tapekey("recipient", "add", "new", "--generate", "p256", *KEY, crash="tapekey.keystore.seal:wrap")
    run.tapekey("audit", "verify", *KEY, crash="tapekey.keystore.rows:Transaction._authentic")
    run.tapekey("audit", "verify", *WORDS, crash="tapekey.keystore.seal:unwrap")
    alone = ("restore", DRIVE, "--identity", "partner.key", "--allow-virtual")
    run.tapekey(*alone, crash="tapekey.keys.identity:Identity.open")


def refuse(run: Run) -> None:
    """A drive whose keys a library sets refuses ours."""
    run.tapekey("target", "create", "managed", "--personality", "ibm-lto6", "--set", "management=library")
    run.tapekey("cartridge", "create", "blank", "--generation", "lto6", "--barcode", "ENC002L6")
    run.tapekey("target", "insert", "managed", "blank")
    run.tapekey("drive", "approve", "virtual:managed", "--allow-virtual", *KEY)
    run.tapekey("save", "virtual:managed", "--allow-virtual", "--trace", "refused.trace", *KEY, fails=True)


def close_books(run: Run) -> None:
    run.tapekey("audit", "show", *KEY)
    run.tapekey("audit", "show", "--json", *KEY)
    run.tapekey("audit", "verify", "--json", *KEY)


# --- the secrets --------------------------------------------------------------------------------------------


def secrets_of(run: Run) -> dict[str, bytes]:
    """Every secret of the run: those of the keystore, of the private key files, and what opens the keystore."""
    found = {
        name: (run.place / name).read_bytes()
        for name in ("root.key", "other.key", "other.pass", "short.key")
        if (run.place / name).exists()
    }
    found["passphrase"] = (run.place / "pass").read_bytes().strip()
    if (run.place / "data.key").exists():
        found["data key set by hand"] = bytes.fromhex((run.place / "data.key").read_text())
    for file in ("recovery.key", "partner.key", "held.key"):
        found |= private_parts(file, identity_file.load((run.place / file).read_bytes()))
    opener = KeyFile(run.place / "root.key")
    with store.open_store(run.place / "ks", [opener]) as opened:
        store_id, table = store._read_unverified(opened.engine)
        found["root key"] = octets(slots.unlock(table, [opener], store_id))
        found |= kept(opened)
    assert all(len(set(secret)) > 8 for secret in found.values()), "a secret that was wiped is no canary"
    return found


def octets(secret: Secret) -> bytes:
    """A copy, taken while the secret is still held: it is wiped when it is dropped."""
    return bytes(secret.reveal())


def kept(opened: Store) -> dict[str, bytes]:
    """The secrets that a keystore keeps, and what it derives from its root key."""
    found = {f"derived: {purpose}": octets(key) for purpose, key in opened.seal.keys.items()}
    with opened.reading() as transaction:
        found["signing key"] = octets(store.kept_secret(transaction, SIGNING_KEY))
        for record in recipients.every(transaction):
            if record.held:
                found |= private_parts(record.name, recipients.identity_of(transaction, record))
        for key in transaction.every(KeyRecord):
            found[f"data key {key.id}"] = octets(data_keys.open_key(transaction, key).secret)
    return found


def private_parts(name: str, private: Identity) -> dict[str, bytes]:
    """The numbers that make a private key private, without what its public half shows."""
    content = octets(private.secret)
    if private.suite is Suite.AES_KW or private.suite.hybrid:
        return {name: content}
    match load_der_private_key(content, None):
        case x25519.X25519PrivateKey() as key:
            return {name: key.private_bytes_raw()}
        case ec.EllipticCurvePrivateKey() as key:
            return {name: key.private_numbers().private_value.to_bytes(key.key_size // 8)}
        case rsa.RSAPrivateKey() as key:
            numbers = key.private_numbers()
            parts = {"d": numbers.d, "p": numbers.p, "q": numbers.q, "dp": numbers.dmp1, "dq": numbers.dmq1}
            return {f"{name}, {part}": value.to_bytes(-(-value.bit_length() // 8)) for part, value in parts.items()}
    raise AssertionError(f"{name} is of no kind that this test knows")


# --- the tests ----------------------------------------------------------------------------------------------


@pytest.mark.long
def test_no_secret_is_in_any_output_log_trace_traceback_or_file(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    run = Run(tmp_path)
    prepare(run)
    keep_keys(run)
    with run.served():
        write_and_read(run)
        provoke(run)
    refuse(run)
    close_books(run)

    wanted = secrets_of(run)
    assert sum(name.startswith("data key") for name in wanted) >= 2
    assert any(b"Traceback" in text and b"= <secret, 32 bytes>" in text for text in run.texts.values())
    assert canary.search(run.texts, wanted) == []
    record_property(told.PROPERTY, counted(run, wanted))


def counted(run: Run, wanted: dict[str, bytes]) -> str:
    outputs = sum(name.startswith(("output", "errors")) for name in run.texts)
    files, size = len(run.texts) - outputs, sum(map(len, run.texts.values()))
    number = max(len(canary.forms(secret)) for secret in wanted.values())
    return (
        f"canary run: {run.commands} commands, {outputs} outputs and {files} states of files ({size} bytes) searched "
        f"for {len(wanted)} secrets in {number} forms: 0 hits"
    )


@pytest.mark.long
def test_no_secret_leaves_on_the_way_to_a_drive_that_takes_wrapped_keys(tmp_path: Path) -> None:
    run = Run(tmp_path)
    prepare(run, "ibm-lto9", "lto9")
    with run.served():
        run.tapekey("target", "insert", "drive", "tape")
        assert b"pinned" in run.tapekey("drive", "approve", DRIVE, "--allow-virtual", *KEY)
        run.tapekey("save", DRIVE, "--allow-virtual", "--trace", "save.trace", *KEY)
        run.tapekey("unload", DRIVE, "--trace", "save.trace", *KEY)
        run.tapekey("restore", DRIVE, "--allow-virtual", "--trace", "save.trace", *KEY)
    wanted = secrets_of(run)
    assert canary.search(run.texts, wanted) == []


@pytest.mark.parametrize("form", canary.forms(bytes(32)))
def test_search_finds_a_secret_in_every_form(form: str) -> None:
    planted = secrets.token_bytes(32)
    text = b"noise " + canary.forms(planted)[form] + b" noise"
    assert canary.search({"a file": text}, {"planted": planted, "another": secrets.token_bytes(32)})


@pytest.mark.parametrize("offset", range(3))
def test_search_finds_a_secret_within_something_longer(offset: int) -> None:
    planted = secrets.token_bytes(32)
    longer = secrets.token_bytes(offset) + planted + secrets.token_bytes(7)
    for text in (
        base64.b64encode(longer),
        base64.urlsafe_b64encode(longer),
        base64.b32encode(longer),
        base64.encodebytes(secrets.token_bytes(30) + longer),
        textwrap.fill(longer.hex(), 20).encode(),
        repr({"key": longer}).encode(),
        repr([*longer]).encode(),
    ):
        assert canary.search({"a file": text}, {"planted": planted})


def test_search_finds_what_a_careless_command_would_leave(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.key_file("root.key", secrets.token_bytes(32))
    wanted = {"root.key": (tmp_path / "root.key").read_bytes()}
    (tmp_path / "log").write_text(f"opened with {wanted['root.key'].hex()}")
    run.gather()
    assert {hit.where.split()[0] for hit in canary.search(run.texts, wanted)} == {"log"}


def test_running_commands_leave_no_core_and_show_nothing_in_proc(tmp_path: Path) -> None:
    run = Run(tmp_path)
    prepare(run)
    watched = (sys.executable, "-c", WATCHED)
    with run.served(program=watched) as drive:
        run.tapekey("target", "insert", "drive", "tape")
        run.tapekey("drive", "approve", DRIVE, "--allow-virtual", *KEY)
        run.tapekey("save", DRIVE, "--allow-virtual", *KEY)
        with run.going_on("tape", "write", DRIVE, program=watched) as writer:
            wait_for(lambda: core_limit(drive) == core_limit(writer) == ["0", "0"])
            run.texts |= shown_in_proc(drive) | shown_in_proc(writer)
    assert b"dumpable 0" in (tmp_path / "serve.out").read_bytes()
    assert canary.search(run.texts, secrets_of(run)) == []


def core_limit(pid: int) -> list[str]:
    """Soft and hard RLIMIT_CORE of a process."""
    (line,) = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if "core file" in line]
    return line.split()[4:6]


def shown_in_proc(pid: int) -> dict[str, bytes]:
    """What anyone, or at least its owner, can read of a process; an undumpable one keeps its environment to root."""
    shown = {}
    for name in ("cmdline", "environ", "comm", "status"):
        try:
            shown[f"/proc/{pid}/{name}"] = Path(f"/proc/{pid}/{name}").read_bytes()
        except PermissionError:
            continue
    assert f"/proc/{pid}/cmdline" in shown
    return shown


def test_command_line_marks_itself_undumpable() -> None:
    program = (sys.executable, "-c", WATCHED, "--version")
    said = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "dumpable 0"


def test_secrets_are_kept_out_of_core_dumps_page_by_page() -> None:
    secret = Secret(secrets.token_bytes(32))
    assert "dd" in flags_at(ctypes.addressof(ctypes.c_char.from_buffer(secret._page)))
    ordinary = ctypes.create_string_buffer(32)
    assert "dd" not in flags_at(ctypes.addressof(ordinary))


def flags_at(address: int) -> list[str]:
    """VmFlags of the mapping that holds an address (proc(5), smaps): `dd` is MADV_DONTDUMP."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, _, rest = line.partition(" ")
        if "-" in first and not first.endswith(":"):
            low, high = (int(part, 16) for part in first.split("-"))
            inside = low <= address < high
        elif inside and first == "VmFlags:":
            return rest.split()
    raise AssertionError("no mapping holds the address")
