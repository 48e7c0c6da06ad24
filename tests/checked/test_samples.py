"""Samples are checked before a model is asked: what passes is asked, stored, read back the same and scored."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from faulty import faulty
from hypothesis import given, settings
from hypothesis import strategies as st
from made import TOY, row, toy_data, toy_run

from evalsuite.checked.calls import guarded
from evalsuite.checked.samples import SampleCheck
from evalsuite.cli.main import main
from evalsuite.demo.checkpoints import checkpoint
from evalsuite.engines.scripted import ScriptedEngine
from evalsuite.errors import UsageError
from evalsuite.metrics.scrolls import f1
from evalsuite.plugins import find_tasks
from evalsuite.qa import paper_protocol
from evalsuite.records import Block, RunSpec
from evalsuite.runs.directory.samples import read_samples
from evalsuite.runs.execute import execute
from evalsuite.runs.planning.make_plan import make_plan
from evalsuite.runs.scored import score_folder
from evalsuite.task import Metric, Task
from evalsuite.types import Completion, Document, Sample, ScoredAnswer, Span

SOUND = Sample("s1", Document("d1", "The king slept."), "Who?", ("the king",), ("a", "b"), 1, (Span(4, 8),), {"k": [1]})
OTHER = Sample("s2", Document("d2", "Nobody came."), "Who came?", ("nobody",))

TEXTS = st.sampled_from(("", " ", "a", "é\n", "\ud800", "a\0b", "\U0001f451", "s2", "d2", "../x", "x" * 300)) | st.text(
    st.characters(codec=None), max_size=5
)
WHOLE = st.sampled_from((-1, 0, 1, 2, 14, 15, 16, 2**63, 2**64, -(2**70))) | st.just(5000).map(lambda many: 10**many)
SCALARS = st.one_of(st.none(), st.booleans(), WHOLE, st.floats(), TEXTS, st.binary(max_size=2), st.just({1}))
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(SCALARS.filter(lambda key: not isinstance(key, set)), inner, max_size=2),
        st.builds(Span, inner, inner).map(lambda span: (span,)),
        st.builds(Document, inner, inner, inner),
    ),
    max_leaves=4,
)
OWN = {
    "references": st.lists(TEXTS, max_size=2).map(tuple),
    "choices": st.lists(TEXTS, max_size=3).map(tuple),
    "evidence": st.builds(Span, WHOLE, WHOLE).map(lambda span: (span,)),
    "attributes": st.dictionaries(TEXTS, JUNK, max_size=2),
    "document": st.builds(Document, TEXTS, TEXTS, st.none() | WHOLE),
}
"""For fields where junk of the right shape says more."""


@st.composite
def mutated(draw: st.DrawFn) -> Sample:
    """A sound sample with one field replaced."""
    name = draw(st.sampled_from([field.name for field in fields(Sample)]))
    value = draw(OWN[name] | JUNK if name in OWN else JUNK | TEXTS)
    return replace(SOUND, **{name: value})


def _score(sample: Sample, completion: Completion) -> ScoredAnswer:
    return ScoredAnswer({"f1": f1(completion.text, sample.references or ("",))}, completion.text)


@cache
def _toy() -> Task:
    return find_tasks([str(TOY)])["toy"]


def _task(samples: Iterable[Sample]) -> Task:
    kept = tuple(samples)
    protocol = paper_protocol(score=_score, max_new_tokens=8)
    made = replace(_toy(), samples=lambda _: iter(kept), protocols=(protocol,), metrics=(Metric("f1", primary=True),))
    return guarded(made, "here")


def _run(samples: Iterable[Sample], folder: Path, asked: list[int]) -> list[Sample]:
    """Runs and scores; what the run stored. Every prompt asked is counted."""

    def answer(prompt: str) -> str:
        asked.append(len(prompt))
        return "the king"

    task = _task(samples)
    (folder / "data" / "toy").mkdir(parents=True, exist_ok=True)
    spec = RunSpec("scripted:x", (Block(("toy",)),), data=str(folder / "data"))
    engine = ScriptedEngine(answer)
    execute(make_plan(spec, ([task],), engine), engine, folder / "out", lambda _: None)
    (cell,) = score_folder(folder / "out", {"toy": task})
    assert cell.complete
    assert cell.asked == cell.scored + cell.skipped
    return [sample for _, sample in read_samples(folder / "out")]


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_a_sample_with_any_field_changed_is_refused_before_asking_or_run_to_its_score(sample: Sample) -> None:
    asked: list[int] = []
    stored: list[Sample] = []
    with tempfile.TemporaryDirectory() as name:
        refused = _refusal(lambda: stored.extend(_run((sample, OTHER), Path(name), asked)))
    if refused is None:
        assert stored == [replace(one, document=replace(one.document, length=None)) for one in (sample, OTHER)]
    else:
        assert not asked
        assert "task toy" in refused


@settings(max_examples=1500, deadline=None)
@given(mutated())
def test_whatever_stands_in_a_field_is_one_line_that_names_the_task(sample: Sample) -> None:
    refused = _refusal(lambda: SampleCheck("toy").check(sample))
    assert refused is None or refused.startswith("task toy, sample ")


def _refusal(call: Callable[[], None]) -> str | None:
    """The line a call is refused with."""
    try:
        call()
    except UsageError as error:
        line = str(error)
        assert len(line) < 500
        return line
    return None


def test_two_sound_samples_run(tmp_path: Path) -> None:
    asked: list[int] = []
    assert _run((SOUND, OTHER), tmp_path, asked) == [SOUND, OTHER]
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": 5}, "its id is 5, not a text"),
        ({"id": " "}, "its id is empty"),
        ({"id": "a\ud800"}, "its id holds half of a surrogate pair"),
        ({"id": ["s"]}, "its id is ['s'], not a text"),
        ({"question": None}, "its question is None, not a text"),
        ({"question": "\0"}, "its question holds NUL"),
        ({"references": "the king"}, "its references are 'the king', not a tuple of texts"),
        ({"references": ("a", 5)}, "references[1] is 5, not a text"),
        ({"choices": ("\udfff",)}, "choices[0] holds half of a surrogate pair"),
        ({"gold": 2}, "its gold is 2, not the index of one of its 2 choices"),
        ({"gold": -1}, "its gold is -1"),
        ({"gold": True}, "its gold is True"),
        ({"choices": ()}, "its gold is 1, not the index of one of its 0 choices"),
        ({"evidence": (Span(0, 16),)}, "its evidence from 0 to 16 is not within its document of 15 characters"),
        ({"evidence": (Span(8, 4),)}, "its evidence from 8 to 4"),
        ({"evidence": ((4, 8),)}, "not a tuple of spans"),
        ({"attributes": {"share": math.nan}}, "attributes['share'] is nan, which JSON cannot hold"),
        ({"attributes": {"pair": (1, 2)}}, "attributes['pair'] is (1, 2), which JSON cannot hold"),
        ({"attributes": {5: 1}}, "a name in attributes is 5, not a text"),
        ({"attributes": {"many": 2**64}}, "attributes['many'] is 184467"),
        ({"attributes": None}, "its attributes are no mapping"),
        ({"document": "text"}, "its document is no evalsuite.types.Document"),
        ({"document": Document("d1", b"text")}, "its document's text is b'text', not a text"),  # type: ignore[arg-type]
        ({"document": Document("", "text")}, "its document's id is empty"),
        ({"document": Document("d1", "half \ud800")}, "its document's text holds half"),
    ],
)
def test_a_field_that_cannot_be_says_which(change: dict[str, Any], said: str) -> None:
    sample = replace(SOUND, evidence=None) if "document" in change else SOUND
    with pytest.raises(UsageError) as refused:
        SampleCheck("toy").check(replace(sample, **change))
    assert said in str(refused.value)


def test_ids_that_are_no_text_are_refused_before_a_model_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalsuite.engines.hf.load", lambda *_, **__: pytest.fail("weights were loaded"))
    plug_in = faulty(tmp_path, ('row.text("id")', 'row.get("id")'))
    data = toy_data(tmp_path / "data", [row(0, 0, "text"), row(1, 1, "text", id=5)])
    fixed = ["run", "--model", f"hf:{checkpoint('short')}", "--tasks", "faulty", "--include-path", str(plug_in)]
    assert main([*fixed, "--data", str(data), "--out", str(tmp_path / "out")]) == 2
    assert "task faulty, sample 5: its id is 5, not a text" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("between", [(), (row(5, 5, "between"),)])
def test_two_documents_that_share_an_id_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], between: tuple[dict[str, Any], ...]
) -> None:
    data = toy_data(tmp_path, [row(0, 1, "one text"), *between, row(1, 1, "another text")])
    assert main(toy_run(tmp_path / "out", data)) == 2
    said = capsys.readouterr().err
    assert "sample 'q1': its document 'd1' has another text than that of sample 'q0'" in said
    assert not (tmp_path / "out").exists()


def test_one_document_may_come_back_later_in_the_file(tmp_path: Path) -> None:
    data = toy_data(tmp_path, [row(0, 1, "one text"), row(5, 5, "between"), row(1, 1, "one text")])
    assert main(toy_run(tmp_path / "out", data)) == 0
