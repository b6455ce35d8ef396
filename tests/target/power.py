"""A disk that can lose power: what was not synced reaches it in part, sector by sector, or not at all."""

import os
from collections.abc import Callable, Sequence
from random import Random
from types import SimpleNamespace

import pytest

from tapekey.target import medium_log

SECTOR = 512


class PowerLost(BaseException):
    """The moment the lights go out; nothing may catch it."""


def lose_power_after(patch: pytest.MonkeyPatch, calls: int) -> None:
    """Let the power go at the call after so many of those that make files last."""
    left = calls

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **more: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise PowerLost
            return real(*args, **more)

        return call

    for name in ("fsync", "rename"):
        patch.setattr(os, name, counted(getattr(os, name)))


class Disk:
    """Stands for `os` in `medium_log`: `calls_left` changes later the power goes; then `rest` is on the platter."""

    def __init__(self, durable: bytes, calls_left: int, random: Random) -> None:
        self.durable = bytearray(durable)
        self.pending: list[tuple[int, bytes | None]] = []
        self.calls_left = calls_left
        self.random = random

    def install(self, patch: pytest.MonkeyPatch) -> None:
        names = {name: getattr(os, name) for name in ("open", "close", "pread", "preadv", "fstat", "O_RDWR")}
        mine = {name: getattr(self, name) for name in ("pwritev", "pwrite", "ftruncate", "fsync", "fdatasync")}
        patch.setattr(medium_log, "os", SimpleNamespace(**names, **mine))

    def _count(self) -> None:
        self.calls_left -= 1
        if self.calls_left < 0:
            raise PowerLost

    def pwritev(self, fd: int, parts: Sequence[bytes], offset: int) -> int:
        data = b"".join(parts)
        self.pending.append((offset, data))
        self._count()
        return os.pwrite(fd, data, offset)

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        return self.pwritev(fd, [data], offset)

    def ftruncate(self, fd: int, size: int) -> None:
        self.pending.append((size, None))
        self._count()
        os.ftruncate(fd, size)

    def fsync(self, fd: int) -> None:
        self._count()
        self.durable[:] = os.pread(fd, os.fstat(fd).st_size, 0)
        self.pending.clear()

    fdatasync = fsync

    def rest(self) -> bytes:
        """What the platter holds after the loss: each pending sector there or not, by chance."""
        share = self.random.choice((0.0, 0.3, 0.7, 1.0))
        for offset, data in self.pending:
            if data is None:
                if self.random.random() < share:
                    del self.durable[offset:]
                continue
            for start in range(0, len(data), SECTOR):
                if self.random.random() < share:
                    end = offset + start + len(data[start : start + SECTOR])
                    self.durable.extend(bytes(max(0, end - len(self.durable))))
                    self.durable[offset + start : end] = data[start : start + SECTOR]
        return bytes(self.durable)
