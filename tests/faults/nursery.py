"""A process in which everything is imported once; it runs each test that it is told in a fork of itself.

Starting Python, pytest and the package takes longer than most of the tests that a fault is for. Reads lines of JSON,
`{"fault": NAME, "test": ID, "output": FILE}`, and answers each with the exit status of pytest.
"""

import json
import os
import sys
from typing import Any

import pytest

from tests.faults import planted


def run(asked: dict[str, Any]) -> int:
    child = os.fork()
    if not child:
        status = 70
        try:
            output = os.open(asked["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            for descriptor in (1, 2):
                os.dup2(output, descriptor)
            os.environ["TAPEKEY_TEST_FAULT"] = asked["fault"]
            status = int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", asked["test"]]))
            sys.stdout.flush()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    print(len(planted.FAULTS), flush=True)
    for line in sys.stdin:
        print(run(json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
