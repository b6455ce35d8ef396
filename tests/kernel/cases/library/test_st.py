"""`st` on a drive of the library: every action with what comes of it, and where `st` then says that the tape is.

The rows say what a tape drive has to do (SSC-3) as `st` tells it (kernel's Documentation/scsi/st.rst). Where a kernel
has a simulated tape of its own, the same rows are held against that too: what both answer is no habit of ours.
"""

import errno
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.kernel.cases import simulated, st_node
from tests.kernel.cases.library import bench
from tests.kernel.cases.library.bench import Bench, run, tape
from tests.kernel.cases.st_node import Place

SLOT = 23  # CLR001L8
SIMULATION_HOLDS_DATA = (6, 15)

# action, what comes of it (bytes, and the number of the block among those written), file, block, flags
TABLES = {
    "records and filemarks": """
        rewind            ok               0   0  BOT
        write 1000        1000             0   1
        write 512 3       1536             0   4
        weof 1            ok               1   0  EOF
        write 2000 2      4000             1   2
        weof 2            ok               3   0  EOF
        tell              9                3   0  EOF
        rewind            ok               0   0  BOT
        read 1000         1000 #0          0   1
        read 5000         512 #1           0   2
        read 512          512 #2           0   3
        read 512          512 #3           0   4
        read 5000         0                1   0  EOF
        read 5000         2000 #4          1   1
        read 1996         ENOMEM           1   2
        read 5000         0                2   0  EOF
        read 5000         0                3   0  EOF
        read 5000         0                3  -1  EOD
        read 5000         EIO              3  -1  EOD
        read 5000         EIO              3  -1  EOD
        fsf 1             EIO              3  -1  EOD
        rewind            ok               0   0  BOT
        fsf 1             ok               1   0  EOF
        bsf 1             ok               0  -1
        fsf 1             ok               1   0  EOF
        fsf 2             ok               3   0  EOF
        bsf 2             ok               1  -1
        rewind            ok               0   0  BOT
        fsf 1             ok               1   0  EOF
        fsr 1             ok               1   1
        read 3000         2000 #5          1   2
        bsr 1             ok               1   1
        read 3000         2000 #5          1   2
        bsr 2             ok               1   0  EOF
        bsr 1             EIO              0  -1
        rewind            ok               0   0  BOT
        fsr 5             EIO              1   0  EOF
        fsr 1             ok               1   1
        fsr 5             EIO              2   0  EOF
        rewind            ok               0   0  BOT
        fsf 9             EIO              3  -1  EOD
        bsf 1             ok               2  -1
        fsf 1             ok               3   0  EOF
        rewind            ok               0   0  BOT
        eod               ok               3  -1  EOD
        tell              9                3  -1  EOD
        write 520         520              3  -1
        bsr 1             ok               3  -1
        read 520          520 #6           3  -1
        weof 1            ok               4   0  EOF
        seek 5            ok              -1  -1
        read 3000         2000 #4         -1  -1
        tell              6               -1  -1
        seek 0            ok               0   0  BOT
        seek 999          EIO             -1  -1
        rewind            ok               0   0  BOT
        fsfm 1            ok               0  -1
        bsfm 1            EIO              0   0  BOT
        fsf 2             ok               2   0  EOF
        bsfm 2            ok               1   0  EOF
        rewind            ok               0   0  BOT
        fss 1             EIO              0   0  BOT
        rewind            ok               0   0  BOT
        fsf 1             ok               1   0  EOF
        write 516         516              1   1
        fsr 1             EIO              1   1  EOD
        rewind            ok               0   0  BOT
        eod               ok               1  -1  EOD
        tell              6                1  -1  EOD
        """,
    "fixed blocks": """
        rewind            ok               0   0  BOT
        setblk 512        ok               0   0  BOT
        rewind            ok               0   0  BOT
        write 1024        1024             0   2
        write 512 2       1024             0   4
        write 600         EINVAL           0   4
        weof 1            ok               1   0  EOF
        rewind            ok               0   0  BOT
        read 512          512 #?           0   1
        read 1024         1024 #?          0   3
        read 2048         512 #2           0   4
        read 2048         0                1   0  EOF
        read 2048         0                1  -1  EOD
        read 2048         EIO              1  -1  EOD
        setblk 0          ok               1  -1  EOD
        rewind            ok               0   0  BOT
        read 512          512 #?           0   1
        read 10000        512 #?           0   2
        setblk 1024       ok               0   2
        read 1024         EIO              0   2
        rewind            ok               0   0  BOT
        read 1024         EIO              0   0  BOT
        read 1024         EIO              0   0  BOT
        read 2048         EIO              0   0  BOT
        setblk 0          ok               0   0  BOT
        rewind            ok               0   0  BOT
        write 700         700              0   1
        write 512         512              0   2
        weof 1            ok               1   0  EOF
        rewind            ok               0   0  BOT
        setblk 512        ok               0   0  BOT
        read 512          EIO              0   0  BOT
        read 512          EIO              0   0  BOT
        read 1024         EIO              0   0  BOT
        setblk 0          ok               0   0  BOT
        rewind            ok               0   0  BOT
        fsr 2             ok               0   2
        bsr 1             ok               0   1
        setblk 512        ok               0   1
        fsr 1             ok               0   2
        bsr 2             ok               0   0  BOT
        setblk 0          ok               0   0  BOT
        """,
    "erasing and writing over": """
        rewind            ok               0   0  BOT
        write 640 8       5120             0   8
        weof 1            ok               1   0  EOF
        write 640 8       5120             1   8
        rewind            ok               0   0  BOT
        fsf 1             ok               1   0  EOF
        fsr 3             ok               1   3
        erase 1           ok               1   3
        fsr 1             EIO              1   3  EOD
        bsr 1             ok               1   2
        read 640          640 #10          1   3
        read 640          EIO              1  -1
        rewind            ok               0   0  BOT
        eod               ok               1  -1  EOD
        tell              12               1  -1  EOD
        rewind            ok               0   0  BOT
        fsr 2             ok               0   2
        write 600         600              0   3
        read 640          EIO              0  -1
        rewind            ok               0   0  BOT
        eod               ok               0  -1  EOD
        tell              3                0  -1  EOD
        rewind            ok               0   0  BOT
        erase 0           ok               0   0  BOT
        read 640          EIO              0  -1
        erase 1           ok               0  -1
        rewind            ok               0   0  BOT
        read 640          EIO              0  -1
        eod               ok               0  -1  EOD
        """,
    "two partitions": """
        rewind            ok               0   0  BOT
        options 1024      ok               0   0  BOT
        rewind            ok               0   0  BOT
        write 640 4       2560             0   4
        rewind            ok               0   0  BOT
        mkpartition 8     ok               0   0  BOT
        rewind            ok               0   0  BOT
        write 640 4       2560             0   4
        weof 1            ok               1   0  EOF
        setpartition 1    ok              -1  -1
        read 640          EIO              0  -1
        write 800 2       1600             0  -1
        weof 1            ok               1   0  EOF
        setpartition 0    ok              -1  -1
        read 640          EIO             -1  -1
        rewind            ok               0   0  BOT
        read 640          640 #4           0   1
        setpartition 1    ok              -1  -1
        read 640          EIO             -1  -1
        rewind            ok               0   0  BOT
        read 800          800 #8           0   1
        setpartition 2    EINVAL           0   1
        setpartition 0    ok              -1  -1
        eod               ok              -1  -1  EOD
        setpartition 1    ok              -1  -1
        eod               ok              -1  -1  EOD
        setpartition 0    ok              -1  -1
        mkpartition 0     ok               0   0  BOT
        read 640          EIO              0  -1
        setpartition 1    EINVAL           0  -1
        """,
}
# Where the kernel's simulated tape answers otherwise than a drive, or cannot.
OURS_ONLY = {
    "over the beginning": """
        rewind            ok               0   0  BOT
        write 1000 4      4000             0   4
        weof 1            ok               1   0  EOF
        bsf 5             EIO              0   0  BOT
        fsr 2             ok               0   2
        bsr 5             EIO              0   0  BOT
        """,
    "blocks of any size": """
        rewind            ok               0   0  BOT
        write 1           1                0   1
        write 3 2         6                0   3
        write 1048576     1048576          0   4
        weof 1            ok               1   0  EOF
        rewind            ok               0   0  BOT
        read 100          1 #0             0   1
        read 3            3 #1             0   2
        read 2            ENOMEM           0   3
        read 1048577      1048576 #3       0   4
        read 100          0                1   0  EOF
        """,
    "a cartridge put down and taken up": """
        rewind            ok               0   0  BOT
        write 1000        1000             0   1
        weof 1            ok               1   0  EOF
        compression 0     ok               1   0  EOF
        compression 1     ok               1   0  EOF
        lock              ok               1   0  EOF
        unlock            ok               1   0  EOF
        rewind            ok               0   0  BOT
        offline           ok               0   0  BOT DR_OPEN
        read 1000         ENOMEDIUM        0   0  BOT DR_OPEN
        load              ok               0   0  BOT
        rewind            ok               0   0  BOT
        read 1000         1000 #0          0   1
        """,
}


@pytest.fixture(scope="module", autouse=True)
def _open(library: Bench) -> None:
    """What was keyed before has left the drive closed to clear blocks; the rule for this cartridge opens it."""
    with library.loaded(SLOT) as drive:
        bench.save(drive)


def rows(table: str) -> list[tuple[str, str, Place]]:
    """The lines of a table: columns are two spaces or more apart."""
    found = []
    for line in table.strip().splitlines():
        action, came, place = re.split(r"\s{2,}", line.strip(), maxsplit=2)
        file, block, *flags = place.split()
        found.append((action, came, Place(int(file), int(block), " ".join(flags))))
    return found


def played(node: str, table: str) -> list[tuple[str, str, Place]]:
    with st_node.opened(node) as opened:
        opened.do("setblk 0")
        return [(action, opened.do(action), opened.place()) for action, _, _ in rows(table)]


@pytest.mark.parametrize("table", [*TABLES, *OURS_ONLY])
def test_every_action_ends_as_on_a_drive(library: Bench, table: str) -> None:
    with library.loaded(SLOT) as drive:
        text = {**TABLES, **OURS_ONLY}[table]
        assert played(tape(drive), text) == rows(text)


def unnamed(found: list[tuple[str, str, Place]]) -> list[tuple[str, str, Place]]:
    """Without what the blocks hold, of which the simulated tape keeps four bytes."""
    return [(action, came.partition(" #")[0], place) for action, came, place in found]


@pytest.mark.skipif(simulated.RELEASE < SIMULATION_HOLDS_DATA, reason="this kernel's simulated tape holds no data")
@pytest.mark.parametrize("table", TABLES)
def test_kernels_own_simulated_tape_answers_the_same(library: Bench, table: str) -> None:
    (node,) = simulated.beside(library.drives)
    try:
        text = TABLES[table].replace("mkpartition 8  ", "mkpartition 100")  # it makes none smaller
        assert unnamed(played(tape(node), text)) == unnamed(rows(text))
    finally:
        simulated.unload()


SIZES = (1, 2, 3, 4, 5, 7, 8, 511, 512, 513, 4095, 4096, 4097, 32768, 65535, 65536, 65537, 131072, 262143, 262144)
LARGE = (262145, 524288, 1048576)


def rooms(size: int) -> list[int]:
    """Rooms to read a record of that size into: too small, exact, and larger by a little and by much."""
    around = {1, size // 2, size // 2 + 1, size - 1, size, size + 1, 2 * size - 1, 2 * size, 512, 65536, 262144}
    return sorted(around - {0})


def test_every_record_is_read_into_every_room(library: Bench, record_property: bench.Recorder) -> None:
    """Too small a room: ENOMEM, and the tape is behind the record. Any other: the record, and nothing more."""
    wrong, cases = [], 0
    with library.loaded(SLOT) as drive, st_node.opened(tape(drive)) as node:
        assert [node.do("rewind"), *(node.do(f"write {size}") for size in (*SIZES, *LARGE)), node.do("weof 1")]
        for number, size in enumerate((*SIZES, *LARGE)):
            for room in rooms(size):
                found = (node.do(f"seek {number}"), node.do(f"read {room}"), node.do("tell"))
                expected = ("ok", f"{size} #{number}" if room >= size else "ENOMEM", str(number + 1))
                wrong += [(size, room, found)] if found != expected else []
                cases += 1
    record_property("reads", cases)
    assert wrong == []


BLOCK = 262144


def test_end_of_the_tape_comes_with_a_warning_and_room_behind_it(library: Bench) -> None:
    """`st` says ENOSPC once when the drive has warned, and takes a block each time it is asked again (st.rst)."""
    block = os.urandom(BLOCK)
    with library.loaded(SLOT) as drive, st_node.opened(tape(drive)) as node:
        node.do("rewind")
        came: list[str] = []
        while came.count("ENOSPC") < 3:
            came.append(written(node.handle, block))
        assert came[-6:] == ["ok", "ENOSPC", "ok", "ENOSPC", "ok", "ENOSPC"]
        taken = came.count("ok")
        assert set(came[: taken - 2]) == {"ok"}
        assert 0.9 < taken * BLOCK / CAPACITY <= 1.0
        assert (node.do("weof 1"), node.place()) == ("ok", Place(1, 0, "EOF"))
        assert (node.do("bsf 1"), node.do("bsr 1"), os.read(node.handle, BLOCK) == block) == ("ok", "ok", True)
        assert node.do("read 512") == "0"


CAPACITY = 64 << 20


def written(handle: int, block: bytes) -> str:
    try:
        return "ok" if os.write(handle, block) == len(block) else "short"
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def test_write_protected_cartridge_is_read_only(library: Bench) -> None:
    library.ask("protect CLR001L8")
    try:
        with library.loaded(SLOT) as drive:
            with pytest.raises(OSError, match="Read-only"):
                os.open(tape(drive), os.O_RDWR)
            with st_node.opened(tape(drive)) as node:
                assert node.place().flags == "BOT WR_PROT"
                assert [node.do(line) for line in ("write 512", "weof 1", "erase 1")] == ["EACCES"] * 3
    finally:
        library.ask("release CLR001L8")


def test_mt_dd_and_tar_do_what_the_ioctls_do(library: Bench, tmp_path: Path) -> None:
    """The programs themselves, once each."""
    content = os.urandom(300_000)
    (tmp_path / "content").write_bytes(content)
    with library.loaded(SLOT) as drive:
        node = tape(drive)

        def mt(*words: str) -> str:
            return run("mt", "-f", node, *words)

        mt("rewind")
        run("dd", f"if={tmp_path}/content", f"of={node}", "bs=65536")
        run("tar", "--blocking-factor=64", "-C", tmp_path, "-c", "-f", node, "content")
        mt("setblk", "10000")
        run("dd", f"if={tmp_path}/content", f"of={node}", "bs=100000", "iflag=fullblock")
        mt("setblk", "0")
        assert "File number=3, block number=0" in mt("status")
        assert mt("tell").strip().endswith("block 48.")  # 5 and a mark, 10 of tar and a mark, 30 and a mark
        mt("bsfm", "3")
        run("tar", "--blocking-factor=64", "-C", tmp_path, "--compare", "-f", node)
        mt("asf", "0")
        read = subprocess.run(["dd", f"if={node}", "bs=262144"], capture_output=True, check=True).stdout
        assert read == content
        mt("asf", "2")
        read = subprocess.run(["dd", f"if={node}", "bs=10000"], capture_output=True, check=True).stdout
        assert read == content
        mt("eod")
        assert "EOD" in mt("status")
