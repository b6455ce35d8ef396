"""The documents say what the code does: examples run, tables are complete, names exist."""

import ast
import inspect
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tapekey import cli, errors
from tapekey.cli.exit_status import OTHERS, STATUSES, status_of
from tapekey.errors import TapekeyError
from tapekey.mount import state
from tapekey.mount.state import NEXT, Event, Phase
from tapekey.policy import decide, table
from tapekey.service import stay
from tapekey.service.stay import Finding
from tapekey.service.view import State
from tests.stories.transcript import parse, telling
from tests.test_architecture import COMPOSERS, MAY_IMPORT, MAY_REVEAL, ONLY_COMPOSERS_IMPORT

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
OPERATING = (DOCS / "operating.md").read_text()
ARCHITECTURE = (DOCS / "architecture.md").read_text()
README = (ROOT / "README.md").read_text()
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the tables under a heading, without their heads."""
    _, _, below = text.partition(f"\n## {heading}\n")
    section = re.split(r"^## ", below, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


# --- examples ---

SEEN = (  # what differs from run to run, by its form
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "[TIME]"),
    (r"\b[0-9a-f]{120}\b", "[HEX]"),
    (r"\b[0-9a-f]{64}\b", "[HEX32]"),
    (r"\b[0-9a-f]{32}\b", "[HEX16]"),
    (r"\b[0-9a-f]{16}\b", "[HEX8]"),
    (r"\b[0-9a-f]{8}\b", "[HEX4]"),
    (r"\b[0-9A-F]{10}\b", "[SERIAL]"),
)


def as_story(block: str) -> str:
    """An example with values that differ from run to run replaced by placeholders for them."""
    for form, placeholder in SEEN:
        block = re.sub(form, placeholder, block)
    return block


def test_examples_of_the_operating_guide_are_what_happens(tmp_path: Path) -> None:
    shutil.copy(DOCS / "formats" / "open_envelope.py", tmp_path)
    with telling(tmp_path) as teller:
        for block in blocks(OPERATING, "console"):
            for step in parse(as_story(block)):
                teller.tell(step)


def test_commands_of_the_readme_run(tmp_path: Path) -> None:
    lines = [line.split("  #")[0].strip() for block in blocks(README, "sh") for line in block.splitlines()]
    ran = 0
    with telling(tmp_path) as teller:
        for line in lines:
            if line.startswith("make ") or line == ". .venv/bin/activate":
                continue
            status, said = teller.run(line)
            assert status == 0, f"{line}\n{said}"
            ran += 1
    assert ran >= 3


def test_make_targets_that_documents_name_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = {name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)}
    assert {"demo", "test"} <= named <= set(targets)


def test_ci_calls_what_the_readme_calls() -> None:
    called = re.findall(r"^make [a-z]+", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert set(called) == {line.split("  #")[0].strip() for line in blocks(README, "sh")[0].splitlines()}


# --- commands and links ---


def commands(command: click.Command = cli.root, path: str = "tapekey") -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from commands(below, f"{path} {name}")


@pytest.mark.parametrize("command", list(commands()))
def test_operating_guide_mentions_every_command(command: str) -> None:
    short = command.removeprefix("tapekey ")
    noun, _, verb = short.partition(" ")
    listed = any(
        f"`{verb}`" in sentence for sentence in re.findall(rf"`{noun}` commands \((.*?)\)", OPERATING, re.DOTALL)
    )
    plain = re.sub(r"\s+", " ", OPERATING)
    assert re.search(rf"\b{short}\b", plain) or listed


NOT_COMMANDS = {"tape log", "tape idx"}  # the magic of files


def spoken(text: str) -> set[str]:
    """Commands with noun and verb that a text tells somebody to type."""
    found = re.findall(r"\btapekey ((?:keystore|recipient|rule|drive|cartridge|target|tape|audit) [a-z-]+)", text)
    return set(found) - NOT_COMMANDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_documents_name_exist(page: Path) -> None:
    text = re.sub(r"\s+", " ", page.read_text())
    assert spoken(text) <= {command.removeprefix("tapekey ") for command in commands()}


def test_commands_that_messages_name_exist() -> None:
    texts = set[str]()
    for path in (ROOT / "agent" / "tapekey").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts |= spoken(node.value)
    assert "cartridge scratch" in texts
    assert texts <= {command.removeprefix("tapekey ") for command in commands()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        file, _, anchor = link.partition("#")
        if file.startswith("http"):
            continue
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            heads = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}, link


# --- tables of the operating guide ---


def test_every_exit_status_is_in_the_table() -> None:
    wanted = {(meaning.status, meaning.text) for meaning in (*STATUSES.values(), *OTHERS)}
    found = {
        (int(status), text) for status, meanings in rows(OPERATING, "Exit statuses") for text in meanings.split("; or ")
    }
    assert found == wanted


CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, TapekeyError)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_is_in_the_table_with_its_status_and_a_mend(kind: type[TapekeyError]) -> None:
    by_name = {name: cells for name, *cells in rows(OPERATING, "Errors")}
    status, what, mend = by_name[f"`{kind.__name__}`"]
    assert int(status) == status_of(kind("it failed"))
    assert what
    assert mend


def test_no_error_is_in_the_table_that_does_not_exist() -> None:
    assert {name for name, *_ in rows(OPERATING, "Errors")} == {f"`{kind.__name__}`" for kind in CLASSES}


def refusals() -> Iterator[tuple[int, list[str]]]:
    """Each number with the literal pieces of its reason, from the table and from the source of `decide`."""
    for decision in table.SAVE.values():
        yield decision.number, [decision.why]
    for why, _ in table.TAKES_NO_KEY.values():
        yield 9, [why]
    for function in ast.walk(ast.parse(inspect.getsource(decide))):
        if isinstance(function, ast.FunctionDef):
            yield from _decided_in(function)


def _decided_in(function: ast.FunctionDef) -> Iterator[tuple[int, list[str]]]:
    assigned = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            number, why = node.args[0].value, node.args[1] if len(node.args) > 1 else None
            why = assigned.get(why.id, why) if isinstance(why, ast.Name) else why
            if isinstance(number, int) and why is not None:
                pieces = [one.value for one in ast.walk(why) if isinstance(one, ast.Constant)]
                yield number, [str(piece).strip() for piece in pieces if str(piece).strip(" (),")]


def test_every_reason_of_a_decision_is_in_the_table_under_its_number() -> None:
    told: dict[int, str] = {}
    for number, why, *_ in rows(OPERATING, "Refusals"):
        told[int(number)] = told.get(int(number), "") + " " + why
    missing = {
        (number, piece) for number, pieces in refusals() for piece in pieces if piece not in told.get(number, "")
    }
    assert not missing
    assert set(told) == set(range(1, 31))


# --- architecture ---


def test_import_table_is_the_one_that_is_held() -> None:
    shown = {part: set(allowed.split()) for part, allowed in rows(ARCHITECTURE, "Who may import whom")}
    held = {part: set(allowed.split()) or {"—"} for part, allowed in MAY_IMPORT.items()}
    assert shown == held


def test_composers_are_named() -> None:
    text = ARCHITECTURE.partition("## Who may import whom")[2].partition("\n## ")[0]
    assert all(f"`{name}`" in text for name in COMPOSERS | ONLY_COMPOSERS_IMPORT)


def test_parts_that_see_key_bytes_are_named() -> None:
    text = ARCHITECTURE.partition("## Who sees key bytes")[2].partition("\n## ")[0]
    assert {f"`{name}`" for name in MAY_REVEAL - {"secret"}} == set(re.findall(r"`[a-z_.]+`", text)) - {
        "`Secret.reveal()`"
    }


def diagram() -> str:
    """The mount's states as Mermaid draws them, from the table."""
    names = {phase: phase.name.lower() for phase in Phase}
    lines = ["stateDiagram-v2", "    [*] --> loaded"]
    lines += [f"    {names[before]} --> {names[after]}: {event.value}" for (before, event), after in NEXT.items()]
    return "\n".join(lines) + "\n"


def test_state_diagram_is_the_table() -> None:
    (shown,) = blocks(ARCHITECTURE, "mermaid")
    assert shown == diagram()
    assert len(diagram().splitlines()) == 2 + len(state.NEXT)
    assert all(event.value in shown for event in Event)


def drive_states() -> str:
    """Where a drive goes from each state by each finding, from the table; letters stand for states."""
    letters = dict(zip(State, "PHESBWrdLRTFG", strict=True))
    width = max(len(each.value) for each in State) + 4
    head = [f"{number:2}" for number, _ in enumerate(Finding, start=1)]
    lines = [" " * width + "  ".join(head)]
    for before in State:
        after = [stay.NEXT.get((before, finding)) for finding in Finding]
        cells = [" ." if each is None else f" {letters[each]}" for each in after]
        lines.append(f"{letters[before]} {before.value}".ljust(width) + "  ".join(cells))
    lines += ["", *(f"{number:2} {finding.value}" for number, finding in enumerate(Finding, start=1))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def test_the_states_of_a_drive_are_the_table() -> None:
    assert drive_states() in blocks(ARCHITECTURE, "text")


def test_every_decision_is_in_the_index() -> None:
    index = (DOCS / "decisions" / "README.md").read_text()
    pages = [page for page in (DOCS / "decisions").glob("*.md") if page.name != "README.md"]
    assert len(pages) >= 13
    for page in pages:
        assert f"]({page.name})" in index
        assert all(f"\n**{part}.**" in page.read_text() for part in ("Context", "Choice", "Cost"))
