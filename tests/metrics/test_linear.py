"""Every regular expression of the package against 100,000 repetitive characters: none takes more than linear time.

A quadratic one takes half a minute on such a text and a cubic one days; the bound is far above what a linear one needs
on the slowest machine, and it is of processor time, so that a busy machine changes nothing.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalsuite.engines.openai.secret import Secret
from evalsuite.metrics import leval, leval_corrected, longbench, scrolls, zero_scrolls
from evalsuite.plugins import module
from evalsuite.tokenizers import borders

ROOT = Path(__file__).resolve().parents[2]
SIZE = 100_000
BOUND = 3.0
"""Seconds of processor time for one expression and one text."""
STEPS = {500: 0.2, 20_000: 1.0, SIZE: BOUND}
"""Seconds by size: a text is tried short first, since nothing can stop an expression that runs for days."""
FUNCTIONS = ("compile", "match", "fullmatch", "search", "findall", "finditer", "split", "sub", "subn")

KINDS = (
    *(" ", "\n", "\t ", "a", "A", "1", ".", ",", ":", "%", "-", "'", '"', "[", "]", "(", "*", "\u00e9", "\u2581"),
    *(
        "A ",
        "A,",
        "A.",
        "a ",
        "A and ",
        ", ",
        "1.",
        "1,",
        "1 ",
        "[ ",
        "] [",
        "[]",
        "\\",
        "the ",
        "is ",
        " \n",
        "--",
        "@/",
    ),
    *(
        "answer ",
        "answer:",
        "options ",
        "output ",
        "Paragraph ",
        "The answer is ",
        "true",
        "[fact:",
        "0123456789abcdef",
    ),
)
"""What the texts repeat."""
STARTS = ("", "answer", "The answer is", "output", "A", "[", "1", "Paragraph ", "%")
"""What stands before a run that never ends, so that an expression that needs a first word gets one."""

BUILT: dict[str, Callable[[], Any]] = {
    "evalsuite/metrics/leval_corrected.py:_contained": lambda: leval_corrected._contained("1" * SIZE, "11"),
    "tasks/quality/answers.py:chosen": lambda: _chosen("A " * (SIZE // 2)),
    "tasks/narrativeqa/story.py:_pattern": lambda: module("narrativeqa", "story").cut("a " * (SIZE // 2), "a a b", "c"),
    "tasks/zeroscrolls/originals.py:_between": lambda: _between("a " * (SIZE // 2)),
    "evalsuite/engines/openai/secret.py:__init__": lambda: Secret("a\\" * 10).held_in("a\\" * (SIZE // 2)),
    "evalsuite/tokenizers/borders.py:borders": lambda: _borders("a " * (SIZE // 2)),
    "evalsuite/tokenizers/borders.py:_never_merged": lambda: borders._never_merged(
        {"type": "BPE", "vocab": {"\u2581": 0, "a\u2581" * (SIZE // 2): 1}}, borders.SPACE
    ),
    "evalsuite/tokenizers/borders.py:_near": lambda: borders._near(_added("a" * SIZE), borders.COMMA, alone=False),
    "tasks/leval/scoring.py:split_answer": lambda: module("leval", "scoring").split_answer("[" * SIZE),
}
"""Calls whose expression is built from data: how each is driven instead."""


def _borders(text: str) -> list[str]:
    words = {"model": {"type": "WordLevel"}, "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"}}
    found = borders.borders({**words, "added_tokens": []})
    assert found is not None
    return found.expression.findall(text)


def _added(content: str) -> dict[str, Any]:
    return {"lstrip": False, "rstrip": False, "single_word": False, "content": content}


def _chosen(text: str) -> Any:
    from evalsuite.types import Document, Sample

    choices = ("x y", "y z", "z", "w")
    return module("quality", "answers").chosen(text, Sample("s", Document("d", ""), "q", ("z",), choices, gold=2))


def _between(text: str) -> Any:
    from evalsuite.sources.row import Record

    row = Record({"story_start": "a a b", "story_end": "c"}, "f:1")
    return module("zeroscrolls", "originals")._between(text, row)


def sources() -> Iterator[Path]:
    yield from sorted((ROOT / "evalsuite").rglob("*.py"))
    yield from sorted((ROOT / "tasks").rglob("*.py"))


def loaded(path: Path) -> Any:
    """The module of a source file; None where its packages are not installed here."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] == "tasks":
        return module(parts[1], parts[2])
    try:
        return importlib.import_module(".".join(part for part in parts if part != "__init__"))
    except ImportError:
        return None


def is_re(call: ast.Call) -> bool:
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
        and function.attr in FUNCTIONS
    )


def inside(tree: ast.Module, call: ast.Call) -> str:
    """The name of the function a call stands in; empty at the top of a module."""
    around = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return next((node.name for node in around if call in set(ast.walk(node))), "")


def uses(tree: ast.Module, name: str) -> set[str]:
    """How a compiled expression is used in its own module."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    found = {
        function.attr
        for function in calls
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == name
    }
    return found & set(FUNCTIONS) or {"finditer"}


def expressions() -> Iterator[tuple[str, re.Pattern[str], str]]:
    """Where each expression stands, the expression, and how it is used."""
    for path in sources():
        text = path.read_text(encoding="utf-8")
        if "import re\n" not in text:
            continue
        tree, here = ast.parse(text), path.relative_to(ROOT).as_posix()
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_re(node)):
            function, pattern = inside(tree, call), call.args[0]
            how = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if function and isinstance(pattern, ast.Constant):
                yield f"{here}:{function}", re.compile(pattern.value), "finditer" if how == "compile" else how
            elif function:
                assert f"{here}:{function}" in BUILT, (
                    f"{here}:{call.lineno}: say in BUILT how this expression is driven"
                )
        for name, value in vars(loaded(path) or ast).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str) and name in text:
                yield from ((f"{here}:{name}", value, how) for how in sorted(uses(tree, name)))


EXPRESSIONS = {f"{where}.{how}": (pattern, how) for where, pattern, how in expressions()}


def drive(pattern: re.Pattern[str], how: str, text: str) -> float:
    """Processor seconds the expression takes over a whole text."""
    begin = time.process_time()
    if how in ("match", "fullmatch"):
        getattr(pattern, how)(text)
    elif how == "search":
        pattern.search(text)
    else:
        for _ in pattern.finditer(text):
            pass
    return time.process_time() - begin


def texts(pattern: re.Pattern[str]) -> Iterator[str]:
    """Runs of one kind, with and without a beginning; and runs of what the expression itself is made of."""
    own = re.findall(r"[A-Za-z]{2,}|[^\w\s\\]", pattern.pattern)
    for unit in dict.fromkeys((*KINDS, *own)):
        yield unit * (SIZE // len(unit))
    for start in STARTS[1:]:
        yield from (start + unit * (SIZE // len(unit)) for unit in (" ", "1", ":", ",", "A "))


def test_the_search_for_expressions_finds_them() -> None:
    assert len(EXPRESSIONS) > 25
    assert any(name.startswith("evalsuite/metrics/zero_scrolls.py:_PERCENTAGE") for name in EXPRESSIONS)
    for name in BUILT:
        path, _, function = name.partition(":")
        assert f"def {function}(" in (ROOT / path).read_text(), f"{name} is gone: take it out of BUILT"


@pytest.mark.parametrize("name", sorted(EXPRESSIONS))
def test_an_expression_takes_linear_time(name: str) -> None:
    pattern, how = EXPRESSIONS[name]
    for text in texts(pattern):
        for size, bound in STEPS.items():
            took = drive(pattern, how, text[:size])
            assert took < bound, f"{pattern.pattern!r} took {took:.1f} s on {size} characters {text[:20]!r}..."


@pytest.mark.parametrize("name", sorted(BUILT))
def test_an_expression_built_from_data_takes_linear_time(name: str) -> None:
    begin = time.process_time()
    BUILT[name]()
    assert time.process_time() - begin < BOUND


SCORERS: dict[str, Callable[[str], Any]] = {
    "exam of tpo": lambda text: leval.exam("tpo", text, "B"),
    "exam of coursera": lambda text: leval.exam("coursera", text, "AB"),
    "exam of gsm": lambda text: leval.exam("gsm100", text, "18"),
    "exam of codeU": lambda text: leval.exam("codeU", text, "[1 2]"),
    "exam of topics": lambda text: leval.exam("topic_retrieval_longchat", text, "a topic"),
    "exam of sci_fi": lambda text: leval.exam("sci_fi", text, "True [fact: False]"),
    "corrected exam of coursera": lambda text: leval_corrected.exam("coursera", text, "AB"),
    "corrected exam of tpo": lambda text: leval_corrected.exam("tpo", text, "B"),
    "corrected exam of gsm": lambda text: leval_corrected.exam("gsm100", text, "18"),
    "corrected exam of codeU": lambda text: leval_corrected.exam("codeU", text, "18"),
    "f1 of ZeroSCROLLS": lambda text: zero_scrolls.f1(text, ["the red fox"]),
    "similarity": lambda text: zero_scrolls.exp_similarity(text, ["60%"]),
    "order": lambda text: zero_scrolls.concordance_index(text, ["2, 1, 3"]),
    "letter": lambda text: zero_scrolls.accuracy(text, ["B"]),
    "rouge": lambda text: zero_scrolls.rouge(text, ["the red fox went home"]),
    "f1 of SCROLLS": lambda text: scrolls.f1(text, ["the red fox"]),
    "f1 of LongBench": lambda text: longbench.qa_f1_score(text, ["the red fox"]),
}


@pytest.mark.parametrize("name", sorted(SCORERS))
def test_a_scorer_meets_an_endless_answer(name: str) -> None:
    for unit in ("1", " ", "A ", ", ", "[", "answer: ", "\u2122", "1.", "\n"):
        for size, bound in STEPS.items():
            begin = time.process_time()
            SCORERS[name](unit * (size // len(unit)))
            assert time.process_time() - begin < bound, unit
