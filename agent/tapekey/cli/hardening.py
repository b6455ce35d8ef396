"""Before any key is touched: no core dump, no ptrace by the same user, files for the owner only."""

import ctypes
import os
import resource

PR_SET_DUMPABLE = 4


def keep_out_of_cores() -> None:
    """Set the core limit to zero, mark the process undumpable (prctl(2)), and tighten the umask."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    os.umask(0o077)
