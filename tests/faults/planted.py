"""Every fault that can be planted, by the name that TAPEKEY_TEST_FAULT gives."""

from typing import Final

from tests.faults import (
    of_agent_core,
    of_agent_found,
    of_agent_guard,
    of_agent_hooks,
    of_agent_kills,
    of_agent_notice,
    of_agent_operation,
    of_agent_race,
    of_commands,
    of_drive,
    of_host,
    of_iscsi,
    of_keys,
    of_keystore,
    of_library,
    of_medium,
    of_mount,
    of_network,
    of_portal,
    of_stream,
    of_tape,
    of_target,
)
from tests.faults.fault import Fault

FAULTS: Final[dict[str, Fault]] = {
    **of_keys.FAULTS,
    **of_keystore.FAULTS,
    **of_drive.FAULTS,
    **of_medium.FAULTS,
    **of_mount.FAULTS,
    **of_network.FAULTS,
    **of_host.FAULTS,
    **of_iscsi.FAULTS,
    **of_tape.FAULTS,
    **of_portal.FAULTS,
    **of_target.FAULTS,
    **of_commands.FAULTS,
    **of_library.FAULTS,
    **of_agent_guard.FAULTS,
    **of_agent_hooks.FAULTS,
    **of_agent_kills.FAULTS,
    **of_agent_notice.FAULTS,
    **of_agent_operation.FAULTS,
    **of_agent_race.FAULTS,
    **of_agent_core.FAULTS,
    **of_agent_found.FAULTS,
    **of_stream.FAULTS,
}
