"""Hardening is a matter of the process: looked at in one of its own."""

import subprocess
import sys

LOOK = """
import ctypes, os, resource
from tapekey.cli.hardening import keep_out_of_cores
os.umask(0)
keep_out_of_cores()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), oct(os.umask(0)))
"""


def test_process_leaves_no_core_and_makes_private_files() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(0, 0) 0 0o77"


def test_console_entry_hardens_before_it_does_anything() -> None:
    code = """
import os, sys
from tapekey import cli
sys.argv = ["tapekey", "--version"]
try:
    cli.main()
finally:
    print(oct(os.umask(0)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0o77"
