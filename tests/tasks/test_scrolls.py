"""SCROLLS' own protocol on the tasks at hand: query first, blank line, document; the document loses its end."""

from __future__ import annotations

from pathlib import Path

import pytest
import zero

from evalsuite.metrics import scrolls
from evalsuite.plugins import find_tasks
from evalsuite.runs.asking.requests import groups
from evalsuite.task import PromptProtocol
from evalsuite.types import Completion, Document, Request, Role, Sample

NAMES = ("narrativeqa", "narrativeqa_summary", "qasper", "qmsum", "quality")
CHOICES = ("the red door", "the door", "a window", "none")
SAMPLE = Sample("s", Document("d", "The text."), "Which one?", ("the door",), CHOICES, gold=1)


def protocol(name: str) -> PromptProtocol:
    return find_tasks()[name].protocol("scrolls")


@pytest.mark.parametrize("name", NAMES)
def test_the_query_stands_before_the_document_and_nothing_leads_to_the_answer(name: str) -> None:
    asked = protocol(name)
    parts = asked.prompt(SAMPLE)
    options = "\n\n (A) the red door\n (B) the door\n (C) a window\n (D) none" if name == "quality" else ""
    assert "".join(part.text for part in parts) == f"Which one?{options}\n\nThe text."
    assert [part.role for part in parts] == [Role.QUESTION, Role.DOCUMENT]
    assert (asked.strategy, asked.demonstrate, asked.stop) == ("document-right", None, ())


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_scored_as_scrolls_scores(name: str) -> None:
    for text in ("The door.", "door, the red one", "B", ""):
        values = protocol(name).score(SAMPLE, Completion("k", text)).values
        if name == "quality":
            assert values["exact_match"] == scrolls.exact_match(text, SAMPLE.references)
        elif name == "qmsum":
            assert {kind: values[kind] for kind in ("rouge1", "rouge2", "rougeL")} == scrolls.rouge(
                text, SAMPLE.references
            )
        else:
            assert values["f1"] == scrolls.f1(text, SAMPLE.references)


def test_a_letter_is_no_exact_match_for_scrolls_but_is_for_our_default() -> None:
    said = Completion("k", "B")
    assert protocol("quality").score(SAMPLE, said).values == {"accuracy": 100.0, "exact_match": 0.0}
    assert find_tasks()["quality"].protocols[0].score(SAMPLE, said).values["exact_match"] == 100.0


def test_a_long_document_keeps_its_beginning(tmp_path: Path) -> None:
    folder = tmp_path / "qmsum"
    folder.mkdir()
    words = " ".join(str(number) for number in range(2000))
    row = (
        '{"meeting_transcripts": [{"speaker": "A", "content": "%s"}], "specific_query_list": [], '
        '"general_query_list": [{"query": "What?", "answer": "0"}]}\n'
    )
    (folder / "val.jsonl").write_text(row % words)
    asked = zero.plan(tmp_path, "qmsum", protocol="scrolls", max_prompt_tokens=(500,))
    model = zero.engine()
    ((request,),) = groups(asked, model)
    assert isinstance(request, Request)
    sent = model.tokenizer.decode(request.prompt, skip_special_tokens=True)
    assert sent.startswith("What?\n\nA: 0 1 2 3 ")
    assert (len(request.prompt), request.cut.side) == (500, "right")
