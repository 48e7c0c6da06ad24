"""Honest counts: asked = scored + skipped + unscorable + failed in every cell, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made import cells, lines, row, sealed_again, toy_data, toy_run

from evalsuite.cli.main import main
from evalsuite.engines import scripted
from evalsuite.types import Completion, Request

LONG = "very long indeed " * 60
ROWS = [
    row(0, 0, "fine", question="plain?", answers=["good"]),
    row(1, 0, "fine", question="fails?"),
    row(2, 1, "", question="empty?"),
    row(3, 2, LONG, question="long?"),
    row(4, 3, "fine too", question="silent?"),
    row(5, 3, "fine too", question="plain again?", answers=["bad"]),
]
LIMITS = ("--max-prompt-tokens", "200", "--strategy", "skip")


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Path]]:
    """Runs the rows on a model that fails, is silent, or drops requests as their question says."""
    out, data = tmp_path / "run", toy_data(tmp_path / "data", ROWS)

    def run(*more: str, fails: str = "fails?", drops: str = "nothing") -> tuple[int, Path]:
        monkeypatch.setattr(scripted, "load", lambda *_, **__: _Unreliable(fails, drops))
        return main(toy_run(out, data, *LIMITS, *more)), out

    return run


class _Unreliable(scripted.ScriptedEngine):
    """Fails on some questions, loses others, is silent on others."""

    def __init__(self, fails: str, drops: str) -> None:
        super().__init__(lambda prompt: "" if "silent?" in prompt else " good", name="unreliable")
        self._fails, self._drops = fails, drops

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        for group in groups:
            for request in group:
                prompt = self.tokenizer.decode(request.prompt)
                if self._fails in prompt:
                    yield Completion(key=request.key, error="out of memory")
                elif self._drops not in prompt:
                    yield self._complete(request)


def _counts(cell: dict[str, Any]) -> tuple[int, ...]:
    return tuple(cell[name] for name in ("asked", "scored", "skipped", "unscorable", "failed"))


def test_every_sample_is_counted_once_under_what_became_of_it(ask: Callable[..., tuple[int, Path]]) -> None:
    code, out = ask()
    assert code == 3
    for cell in cells(out):
        assert _counts(cell) == (6, 2, 2, 1, 1)
    status = {score["sample_id"]: (score["status"], score["reason"]) for score in lines(out / "scores.jsonl")}
    assert status == {
        "q0": ("scored", ""),
        "q1": ("failed", "out of memory"),
        "q2": ("skipped", "empty text"),
        "q3": ("skipped", "over-length"),
        "q4": ("unscorable", ""),
        "q5": ("scored", ""),
    }


def test_a_cell_with_a_failure_has_no_value_and_says_so(
    ask: Callable[..., tuple[int, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = ask()
    said = capsys.readouterr()
    assert code == 3
    assert all((cell["value"], cell["stderr"], cell["complete"]) == (None, None, False) for cell in cells(out))
    assert "incomplete: toy 0-shot, cap 200: 1 of 6 failed or missing" in said.err
    assert "incomplete" in said.out
    assert main(["compare", str(out)]) == 3


def test_incomplete_values_are_shown_only_on_demand_and_marked(
    ask: Callable[..., tuple[int, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = ask("--allow-incomplete")
    assert code == 3
    (primary,) = (cell for cell in cells(out) if cell["primary"])
    assert primary["value"] == pytest.approx(100 / 3)
    assert not primary["complete"]
    assert "33.3 ± 44.4 (incomplete)" in capsys.readouterr().out


def test_a_failure_is_never_scored_and_the_unscorable_is_in_the_mean(ask: Callable[..., tuple[int, Path]]) -> None:
    _, out = ask("--allow-incomplete")
    scores = {score["sample_id"]: score for score in lines(out / "scores.jsonl")}
    assert scores["q1"]["values"] == {}
    assert scores["q4"]["values"] == {"f1": 0.0, "words": 0.0}
    assert next(cell["value"] for cell in cells(out) if cell["metric"] == "words") == pytest.approx(2 / 3)


def test_a_request_the_engine_never_answers_counts_as_failed(ask: Callable[..., tuple[int, Path]]) -> None:
    code, out = ask(fails="nothing", drops="plain again?")
    assert code == 3
    for cell in cells(out):
        assert _counts(cell) == (6, 2, 2, 1, 1)
        assert cell["value"] is None


def test_a_failure_is_asked_again_on_resume_and_then_complete(ask: Callable[..., tuple[int, Path]]) -> None:
    assert ask()[0] == 3
    code, out = ask(fails="nothing")
    assert code == 0
    assert [_counts(cell) for cell in cells(out)] == [(6, 3, 2, 1, 0)] * 2
    (primary,) = (cell for cell in cells(out) if cell["primary"])
    assert primary["complete"]
    assert primary["value"] == pytest.approx(100 / 4)
    assert primary["documents"] == 4


def test_a_later_failure_does_not_outweigh_an_answer(ask: Callable[..., tuple[int, Path]]) -> None:
    from evalsuite.runs.directory.journal import Journal

    _, out = ask(fails="nothing")
    answered = (out / "cells.json").read_bytes()
    with Journal(out / "completions.jsonl") as journal:
        for line in lines(out / "completions.jsonl"):
            journal.append(Completion(key=line["completion"]["key"], error="late"))
    sealed_again(out)
    assert main(["score", str(out), "--include-path", str(Path(__file__).parents[1] / "helpers" / "toy_tasks")]) == 0
    assert (out / "cells.json").read_bytes() == answered


def test_an_answer_to_nothing_that_was_asked_is_a_defect_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Confused(scripted.ScriptedEngine):
        def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
            yield from (replace(answer, key="nobody asked") for answer in super().complete(groups))

    monkeypatch.setattr(scripted, "load", lambda *_, **__: Confused(lambda _: "x"))
    assert main(toy_run(tmp_path / "run", toy_data(tmp_path, ROWS))) == 2
    said = capsys.readouterr().err
    assert "the engine answered a request that was not asked" in said
    assert "this is a defect of the engine, not of your command" in said


def test_an_answer_that_filled_its_room_is_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted, "load", lambda *_, **__: scripted.ScriptedEngine(lambda _: "word " * 50))
    assert main(toy_run(tmp_path / "run", toy_data(tmp_path, ROWS[:1]))) == 0
    assert [score["output_capped"] for score in lines(tmp_path / "run" / "scores.jsonl")] == [True]


def test_the_cut_and_lost_evidence_are_counted_in_samples(tmp_path: Path) -> None:
    text = "".join(f"{i:03d} " for i in range(200))
    marked = [row(0, 0, text, evidence=[[0, 4]]), row(1, 0, text, evidence=[[790, 800]]), row(2, 1, "short")]
    assert main(toy_run(tmp_path / "run", toy_data(tmp_path, marked), "--max-prompt-tokens", "400,2000")) == 0
    found = {cell["max_prompt_tokens"]: cell for cell in cells(tmp_path / "run") if cell["primary"]}
    assert [(found[cap]["cut"], found[cap]["evidence_lost"]) for cap in (400, 2000)] == [(2, 1), (0, 0)]


def test_shots_that_prompts_do_not_hold_any_more_are_said_in_their_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tales = [row(d, d, f"tale {d} " * (5 if d else 60)) for d in range(3)]
    out = tmp_path / "run"
    assert main(toy_run(out, toy_data(tmp_path, tales), "--shots", "0,1", "--max-prompt-tokens", "150,5000")) == 0
    found = {(cell["shots"], cell["max_prompt_tokens"]): cell["demonstrations_lost"] for cell in cells(out)}
    assert found == {(0, 150): None, (0, 5000): None, (1, 150): 1, (1, 5000): 0}
    assert main(["compare", str(out)]) == 0
    assert capsys.readouterr().out.count("1/3 lost demonstrations") == 2


def test_a_cut_of_the_document_alone_loses_no_demonstrations(tmp_path: Path) -> None:
    tales = [row(d, d, f"tale {d} " * (5 if d else 60)) for d in range(3)]
    asked = ("--shots", "1", "--max-prompt-tokens", "170", "--strategy", "document-middle", "--limit-documents", "1")
    train = [row(9, 9, "short tale")]
    assert main(toy_run(tmp_path / "run", toy_data(tmp_path, tales, train), *asked)) == 0
    for cell in cells(tmp_path / "run"):
        assert (cell["cut"], cell["demonstrations_lost"]) == (1, 0)
        assert 0 < cell["kept"] < 1


def test_prompts_that_got_no_answer_do_not_count_as_cut(ask: Callable[..., tuple[int, Path]]) -> None:
    """``--allow-incomplete`` shows the value of what was answered; what the cut took is told of the same answers."""
    _, out = ask("--allow-incomplete", "--strategy", "left", "--max-prompt-tokens", "25", fails="?")
    for cell in cells(out):
        assert (cell["failed"], cell["cut"], cell["kept"], cell["output_capped"]) == (5, 0, None, 0)
    stored = [request["cut"] for request in lines(out / "requests.jsonl") if request["cut"]]
    assert sum(bool(cut["removed"]) for cut in stored) > 1


def test_a_task_without_evidence_has_none_to_lose(tmp_path: Path) -> None:
    assert main(toy_run(tmp_path / "run", toy_data(tmp_path, ROWS[:1]))) == 0
    assert {cell["evidence_lost"] for cell in cells(tmp_path / "run")} == {None}


def test_a_damaged_run_directory_is_never_scored_in_part(
    ask: Callable[..., tuple[int, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = ask()
    stored = (out / "requests.jsonl").read_text().splitlines(keepends=True)
    include = ["--include-path", str(Path(__file__).parents[1] / "helpers" / "toy_tasks")]
    for damaged, said in (
        ([*stored, stored[0]], "asked twice"),
        ([stored[0].replace('"sample_id":"q0"', '"sample_id":"q9"')], "unknown"),
        ([stored[0].replace('"cell":"toy', '"cell":"other')], "unknown cell"),
        ([stored[0][:60] + "\n"], "requests.jsonl:1"),
        ([stored[0].replace('"skipped":null', '"extra":1,"skipped":null')], "requests.jsonl:1: the line is damaged"),
    ):
        (out / "requests.jsonl").write_text("".join(damaged))
        assert main(["score", str(out), *include]) == 2
        assert "requests.jsonl was changed since it was written" in capsys.readouterr().err
        sealed_again(out)
        assert main(["score", str(out), *include]) == 2
        assert said in capsys.readouterr().err
