"""Who may do what with a drive's nodes: as the distribution ships them, and what group `tape` can do."""

import grp
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tapekey.errors import OpcodeUnknown, TransportFailed
from tapekey.scsi import encryption, security
from tapekey.scsi.codes import SecurityProtocol
from tapekey.scsi.encryption import InPage, OutPage
from tapekey.scsi.run import run
from tapekey.transport import sgio
from tests.kernel.cases import simulated

NOBODY = 65534


@contextmanager
def as_nobody(*groups: str) -> Iterator[None]:
    """An ordinary user, in these groups, without capabilities."""
    before = os.getgroups()
    os.setgroups([grp.getgrnam(name).gr_gid for name in groups])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


def test_ordinary_user_is_refused_with_a_way_out() -> None:
    (node,) = simulated.load()
    with as_nobody(), pytest.raises(TransportFailed) as refusal, sgio.open_device(node.path):
        pass
    assert "group tape" in refusal.value.mend


def test_group_tape_reaches_the_drives_encryption_without_root() -> None:
    (node,) = simulated.load()
    page = security.security_protocol_out(SecurityProtocol.TAPE_DATA_ENCRYPTION, OutPage.SET_DATA_ENCRYPTION, bytes(20))
    with as_nobody("tape"), simulated.opened(node) as (device,):
        for command in (encryption.read_page(InPage.STATUS), page):
            with pytest.raises(OpcodeUnknown) as refusal:
                run(device, command)
            assert refusal.value.code == "5/20/00"  # the drive's own answer: nothing on the way stopped it
