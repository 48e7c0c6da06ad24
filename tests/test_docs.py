"""The user guide's examples are run: files written, commands executed, output compared (``...`` is anything)."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RUN_HERE = (
    "getting-started",
    "tasks-and-plugins",
    "prompts-and-cuts",
    "runs",
    "scores-and-tables",
    "predictions",
    "python",
)
"""Pages whose console examples need no model but the scripted ones."""
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))

FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the file it is to be written to, its text."""

    language: str
    file: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(page.read_text(encoding="utf-8"))]


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Commands of a console block (``$``, continued by ``>``) and the output shown below each."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        end = next((i for i, line in enumerate(lines[1:], 1) if not line.startswith("> ")), len(lines))
        yield "\n".join([lines[0], *(line[2:] for line in lines[1:end])]), "\n".join(lines[end:])


def matches(shown: str, printed: str) -> bool:
    """Whether an output is as shown; ``...`` is any text, any run of blanks and line breaks is one."""
    pattern = re.sub(r"(?:\\?\s)+", r"\\s+", re.escape(shown.strip()))
    pattern = re.sub(r"(?:\\s\+)?(?:\\\.){3}(?:\\s\+)?", ".*?", pattern)
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents the demo writes, at its smallest length."""
    from evalsuite.demo.formats import write_world

    root = tmp_path_factory.mktemp("docs")
    write_world(root, lengths=(512,), documents=3, questions=4)
    return root / "length-512"


@pytest.fixture
def desk(tmp_path: Path, demo_data: Path) -> Path:
    """A folder as the guide's reader has it after the demo."""
    (tmp_path / "results" / "demo" / "data").mkdir(parents=True)
    (tmp_path / "results" / "demo" / "data" / "length-512").symlink_to(demo_data)
    (tmp_path / "my_tasks").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", RUN_HERE)
def test_the_examples_of_a_page_do_what_the_page_shows(name: str, desk: Path) -> None:
    programs = str(Path(sys.executable).parent)
    env = {**os.environ, "PATH": programs + os.pathsep + os.environ["PATH"], "COLUMNS": "120"}
    env.pop("EVALSUITE_DATA", None)
    for block in blocks(ROOT / "docs" / f"{name}.md"):
        if block.file:
            (desk / block.file).parent.mkdir(parents=True, exist_ok=True)
            (desk / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            for command, shown in steps(block.text):
                done = subprocess.run(
                    ["bash", "-c", f"exec 2>&1; {command}"],
                    cwd=desk,
                    env=env,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, f"$ {command}\n{done.stdout}"
                assert not shown or matches(shown, done.stdout), f"$ {command}\n{done.stdout}\n-- shown:\n{shown}"


def test_the_task_in_the_guide_is_the_example_the_tests_use() -> None:
    shown = next(block for block in blocks(ROOT / "docs" / "tasks-and-plugins.md") if block.file.endswith("task.py"))

    assert shown.text == (ROOT / "tests" / "example_plugin" / shown.file).read_text(encoding="utf-8")


def _commands() -> Iterator[tuple[str, str]]:
    from evalsuite.cli import main

    for page in PAGES:
        for block in blocks(page):
            if block.language in ("sh", "console", "bash"):
                text = re.sub(r"^(\$|>) ", "", block.text, flags=re.MULTILINE).replace("\\\n", " ")
                yield from ((page.name, line) for line in text.splitlines() if line.lstrip().startswith("evalsuite "))
    for command in (main.EPILOG, *(part._EXAMPLES for part in main.COMMANDS)):
        lines = command.replace("\\\n", " ").splitlines()
        yield from (("--help", line) for line in lines if line.lstrip().startswith("evalsuite "))


def test_every_command_shown_anywhere_is_one_the_program_takes() -> None:
    from evalsuite.cli.main import parser

    commands = list(_commands())
    for place, line in commands:
        words = shlex.split(re.split(r" [|>&]|;", line)[0], comments=True)[1:]
        if not {"--help", "--version"} & set(words):
            try:
                parser().parse_args(words)
            except SystemExit:
                pytest.fail(f"{place}: {line}")
    assert len(commands) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]

    broken = [t for t in targets if t and not re.match(r"\w+:", t) and not (page.parent / t).exists()]

    assert broken == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_no_page_holds_the_marks_of_an_unfinished_merge(page: Path) -> None:
    assert not re.findall(r"^(?:<{7}|>{7}) .*", page.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_page_of_the_guide_is_reached_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in text] == []


def test_the_readme_shows_the_demos_real_table() -> None:
    """results/demo.md is what the demo printed; the README shows its first table."""
    page = ROOT / "results" / "demo.md"
    if not page.exists():
        pytest.skip("results/demo.md is not there yet")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- demo table -->")[2].partition("<!-- end of demo table -->")[0]
    shown = shown.replace("```text\n", "").replace("```\n", "").strip()

    assert shown
    assert shown in page.read_text(encoding="utf-8")


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and those of its commands and their forms."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _parsers(command)


def test_every_option_says_what_it_does() -> None:
    from evalsuite.cli.main import parser

    commands = list(_parsers(parser()))
    silent = [
        f"{command.prog} {' '.join(action.option_strings) or action.dest}"
        for command in commands
        for action in command._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]

    assert len(commands) > 10
    assert silent == []
