"""Where the agent is asked, found without loading the types of the configuration: for readers that start fast.

Whatever is wrong with the file besides, other commands say; this takes one setting from it.
"""

import os

from tapekey.errors import Malformed

FILE = "/etc/tapekey/tapekey.toml"  # these three are config's, and a test holds them to it
FILE_VARIABLE = "TAPEKEY_CONFIG"
RUNTIME = "/run/tapekey"
SOCKET = "agent.sock"


def socket() -> str:
    """The path of the agent's socket."""
    path = os.environ.get(FILE_VARIABLE) or FILE
    try:
        with open(path, "rb") as file:
            import tomllib  # a host without a file does without

            agent = tomllib.load(file).get("agent", {})
            return os.path.join(agent.get("runtime", RUNTIME), SOCKET)
    except FileNotFoundError:
        return os.path.join(RUNTIME, SOCKET)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise Malformed(f"cannot read the configuration {path}", why=str(error), mend="tapekey config check") from error
