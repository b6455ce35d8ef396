"""Shell completion files, as click makes them: bash, zsh and fish. `python -m tapekey.cli.completion DIR`.

They ask `tapekey` itself at each TAB, so they need not be made anew when commands change.
"""

import sys
from pathlib import Path
from typing import Final

from click.shell_completion import get_completion_class

from tapekey.cli import root

VARIABLE: Final = "_TAPEKEY_COMPLETE"
# Where each shell looks, below share/.
PLACES: Final = {
    "bash": "bash-completion/completions/tapekey",
    "zsh": "zsh/site-functions/_tapekey",
    "fish": "fish/vendor_completions.d/tapekey.fish",
}


def script(shell: str) -> str:
    """The file for one shell. It is filled in here, so that the shell itself need not be installed."""
    kind = get_completion_class(shell)
    assert kind is not None
    completion = kind(root, {}, "tapekey", VARIABLE)
    return completion.source_template % completion.source_vars()


def write(share: Path) -> None:
    """Put every file into its place below a share directory."""
    for shell, place in PLACES.items():
        file = share / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(script(shell))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
