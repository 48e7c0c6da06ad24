"""L-Eval as tasks: reading, asking, scoring; every set that has data read whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.engines.scripted import CharacterTokenizer, ScriptedEngine
from evalsuite.errors import UsageError
from evalsuite.interfaces import OfficialCutInput
from evalsuite.metrics import leval
from evalsuite.plugins import find_tasks, module
from evalsuite.records import Block, RunSpec
from evalsuite.runs.asking.requests import find_question
from evalsuite.runs.asking.requests import official as made_official
from evalsuite.runs.planning.make_plan import make_plan
from evalsuite.sources import open_source
from evalsuite.task import PromptProtocol, Selection
from evalsuite.types import Completion, Role, Sample

SETS, SCORING, PROMPTS = (module("leval", name) for name in ("sets", "scoring", "prompts"))
TASKS = {name: task for name, task in find_tasks().items() if task.suite == "leval"}
NO_DATA = {"codeU", "narrative_qa"}
SCI_FI_QUESTION = "Cats fly. True or False based on the world described in the document."


def read(name: str, root: Path) -> tuple[list[Sample], tuple[str, ...]]:
    task = TASKS[f"leval_{name}"]
    source = open_source(task.dataset, root, split="test")
    return list(task.samples(Selection(source, "test"))), source.notes


def write(root: Path, name: str, *rows: dict[str, Any]) -> None:
    folder = root / "leval" / SETS.BY_NAME[name].folder
    folder.mkdir(parents=True)
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def row(document: str = "Text.", *pairs: tuple[str, str], evaluation: str = "exam") -> dict[str, Any]:
    pairs = pairs or (("Which?", "B"),)
    return {
        "input": document,
        "instructions": [question for question, _ in pairs],
        "outputs": [answer for _, answer in pairs],
        "evaluation": evaluation,
    }


def text_of(protocol: PromptProtocol, sample: Sample) -> str:
    return "".join(part.text for part in protocol.prompt(sample))


def official(protocol: PromptProtocol, sample: Sample, limit: int = 1_000_000) -> Any:
    assert protocol.cut is not None
    return protocol.cut(OfficialCutInput(sample, protocol.prompt(sample), limit, 512, CharacterTokenizer()))


@pytest.mark.parametrize("one", [one for one in SETS.SETS if one.name not in NO_DATA], ids=lambda one: one.name)
def test_every_published_set_has_the_questions_of_the_papers_table(one: Any, real_data: Path) -> None:
    samples, notes = read(one.name, real_data)
    asked = 2 if one.name == "sci_fi" else 1
    assert len({sample.id for sample in samples}) == len(samples) == asked * one.questions
    documents = {sample.document.id for sample in samples}
    assert len(documents) == (1 if one.name == "gsm100" else one.documents)
    assert len({sample.document.hash for sample in samples}) == len(documents)
    assert bool(notes) == (one.kind == "open")


def test_the_suite_has_twenty_tasks_with_one_primary_metric_and_the_same_four_protocols() -> None:
    assert len(TASKS) == 20
    names = ("turbo16k-test", "llama2-chat-test", "longchat-test", "blind")
    assert {tuple(protocol.name for protocol in task.protocols) for task in TASKS.values()} == {names}
    assert all(sum(metric.primary for metric in task.metrics) == 1 for task in TASKS.values())
    primary = {metric.name for task in TASKS.values() for metric in task.metrics if metric.primary}
    assert primary == {"exam", "f1", "rougeL"}


def test_rows_for_judges_are_counted_and_not_asked(tmp_path: Path) -> None:
    judged = row("Text.", ("Why?", "Because."), ("How?", "So."), evaluation="LLM")
    write(tmp_path, "multidoc_qa", row("Text.", ("Who?", "Ann."), evaluation="f1"), judged)
    task = TASKS["leval_multidoc_qa"]
    source = open_source(task.dataset, tmp_path, split="test")
    samples = iter(task.samples(Selection(source, "test")))
    assert next(samples).id == "0-0"
    assert source.notes == ("questions for LLM judges, which have no automatic score, are not asked: 2",)
    assert list(samples) == []


def test_the_shared_text_of_gsm_is_one_document_and_ids_name_row_and_instruction(tmp_path: Path) -> None:
    pairs = (("One?", "The answer is 1"), ("Two?", "The answer is 2"))
    write(tmp_path, "gsm100", row("Shots.", *pairs), row("Shots.", *pairs), row("Others.", *pairs))
    samples, _ = read("gsm100", tmp_path)
    assert [sample.id for sample in samples] == ["0-0", "0-1", "1-0", "1-1", "2-0", "2-1"]
    assert [sample.document.id for sample in samples] == ["0", "0", "0", "0", "2", "2"]


@pytest.mark.parametrize(
    ("name", "bad", "message"),
    [
        ("tpo", row(evaluation="f1"), r"tpo\.jsonl:2: field 'evaluation' is 'f1', in tpo it must be one of: exam"),
        ("tpo", row("T", ("Which?", "e")), r"tpo\.jsonl:2: field 'outputs\[0\]' is 'e', in which there is no TOEFL"),
        ("gsm100", row("T", ("How many?", "none")), r"field 'outputs\[0\]' is 'none', in which there is no GSM"),
        ("tpo", row() | {"outputs": []}, r"tpo\.jsonl:2: field 'outputs' has 0 answers to 1 instructions"),
        ("tpo", row() | {"outputs": [None]}, r"tpo\.jsonl:2: field 'outputs\[0\]' must be a string, not None"),
        ("tpo", row() | {"input": None}, r"tpo\.jsonl:2: field 'input' is missing"),
        ("news_summ", row("T", ("Sum.", " "), evaluation="rouge"), r"field 'outputs\[0\]' is blank"),
        (
            "sci_fi",
            row("T", ("True?", "True")),
            r"'outputs\[0\]' is 'True', in which there is no SFiction answer",
        ),
    ],
)
def test_a_faulty_row_is_named_by_file_line_and_field(
    name: str, bad: dict[str, Any], message: str, tmp_path: Path
) -> None:
    good = {"tpo": "B", "gsm100": "7", "news_summ": "Sum.", "sci_fi": "True [fact: False]"}[name]
    evaluation = "rouge" if name == "news_summ" else "exam"
    write(tmp_path, name, row("Text.", ("Which?", good), evaluation=evaluation), bad)
    with pytest.raises(UsageError, match=message):
        read(name, tmp_path)


def test_the_parts_of_each_script_are_its_prompt(real_data: Path) -> None:
    for name in ("coursera", "topic_retrieval_longchat", "news_summ", "sci_fi"):
        one, sample = SETS.BY_NAME[name], read(name, real_data)[0][0]
        path = PROMPTS.prediction_path(name, one.run_metric)
        for script in PROMPTS.SCRIPTS:
            built = PROMPTS.build_prompt(
                script, path, one.run_metric, sample.document.text, sample.question, sample.references[0]
            )
            system = built.system if script == "turbo16k-test" else ""
            assert text_of(TASKS[f"leval_{name}"].protocol(script), sample) == system + built.text


def test_only_blind_hides_the_gold_length_and_the_others_say_that_they_show_it(tmp_path: Path) -> None:
    write(tmp_path, "news_summ", row("Text.", ("Sum.", "One two three"), evaluation="rouge"))
    task, (sample,) = TASKS["leval_news_summ"], read("news_summ", tmp_path)[0]
    for protocol in task.protocols[:3]:
        assert "3 words" in text_of(protocol, sample)
        assert "shows the gold length" in protocol.note
    blind = task.protocol("blind")
    assert text_of(blind, sample).endswith("Document is as follows. Text. Instruction: Sum. Output: ")
    assert "not shown" in blind.note
    assert "shows the gold length" not in TASKS["leval_tpo"].protocols[0].note


def test_an_uncut_official_turbo_prompt_is_the_plain_one_behind_one_bos(tmp_path: Path) -> None:
    write(tmp_path, "tpo", row("Text </s>."))
    task, (sample,) = TASKS["leval_tpo"], read("tpo", tmp_path)[0]
    for protocol in (task.protocols[0], task.protocol("blind")):
        made = official(protocol, sample)
        assert made.ids == (1, *CharacterTokenizer().encode_literal(text_of(protocol, sample)).ids)
        assert (made.removed, made.side) == ((), None)


def test_the_official_cut_leaves_the_frame_and_tells_what_the_document_lost(tmp_path: Path) -> None:
    write(tmp_path, "tpo", row("word " * 1000))
    task, (sample,) = TASKS["leval_tpo"], read("tpo", tmp_path)[0]
    made = official(task.protocols[0], sample, 3999)
    (lost,) = made.removed
    assert (lost.role, made.side, made.over_limit) == (Role.DOCUMENT, "right", False)
    assert made.tokens_before - len(made.ids) == lost.tokens == lost.characters == 5000 - made.kept[0].end
    assert made.kept[0].end <= 3000 - 512
    assert CharacterTokenizer().decode(made.ids).endswith("explanation\n Answer: ")


def test_sci_fi_asks_by_facts_alone_in_the_local_scripts_and_behind_the_first_question_in_turbo(
    tmp_path: Path,
) -> None:
    write(tmp_path, "sci_fi", row("Story.", (SCI_FI_QUESTION, "True [fact: False]")))
    task, (loyalty, fact) = TASKS["leval_sci_fi"], read("sci_fi", tmp_path)[0]
    assert (loyalty.id, fact.id) == ("0-0-loyalty", "0-0-fact")
    alone = "Cats fly. True or False based on the real-world knowledge and facts up until your last training\nAnswer:"
    longchat = task.protocol("longchat-test")
    assert text_of(longchat, fact) == alone
    assert official(longchat, fact).ids == tuple(CharacterTokenizer().encode(alone, special_tokens=True))
    turbo = task.protocols[0]
    assert text_of(turbo, fact).startswith(text_of(turbo, loyalty) + "\n\nCats fly.")
    assert "real-world knowledge" in text_of(turbo, fact)


@pytest.mark.parametrize(
    "prediction",
    [
        "True [fact: False]",
        "false. [fact: It is true.]",
        "no idea [fact: ]",
        "untrue FALSE [FACT: true] [fact: false]",
        "[fact: true",
        "True [fact: false] and more",
    ],
)
def test_the_two_samples_of_sci_fi_score_as_the_official_code_scores_both_at_once(
    prediction: str, tmp_path: Path
) -> None:
    gold = "False [fact: True]"
    write(tmp_path, "sci_fi", row("Story.", (SCI_FI_QUESTION, gold)))
    samples, _ = read("sci_fi", tmp_path)
    answers = SCORING.split_answer(prediction)
    score = TASKS["leval_sci_fi"].protocols[0].score
    for sample, wanted in zip(samples, leval.exam("sci_fi", prediction, gold), strict=True):
        judged = score(sample, Completion("k", answers[sample.attributes["asked"]]))
        assert (judged.values["exam"], judged.scorable) == (100 * wanted.value, wanted.found)


def test_an_answer_without_a_letter_is_unscorable_at_the_official_value(tmp_path: Path) -> None:
    write(tmp_path, "tpo", row("Text.", ("Which?", "A"), ("Which?", "B")))
    score = TASKS["leval_tpo"].protocols[0].score
    guessed, wrong = (score(sample, Completion("k", "no idea")) for sample in read("tpo", tmp_path)[0])
    assert guessed.values == {"exam": 100.0, "exam_corrected": 0.0}
    assert wrong.values == {"exam": 0.0, "exam_corrected": 0.0}
    assert not guessed.scorable
    assert not wrong.scorable


def test_positions_of_topics_and_parts_of_sci_fi_are_metrics_over_their_own_samples(tmp_path: Path) -> None:
    pairs = tuple((f"The {place} topic?", f"Topic {place}") for place in ("first", "second", "third"))
    write(tmp_path, "topic_retrieval_longchat", row("Talk.", *pairs))
    samples, _ = read("topic_retrieval_longchat", tmp_path)
    metrics = {metric.name: metric for metric in TASKS["leval_topic_retrieval_longchat"].metrics}
    for place, name in enumerate(("first", "second", "third")):
        subset = metrics[f"exam_{name}"].subset
        assert subset is not None
        assert [subset(sample) for sample in samples] == [place == other for other in range(3)]


@pytest.mark.parametrize(("cap", "model_max", "budget"), [(4384, 9000, 4000), (5000, 5100, 4588), (None, 4600, 4000)])
def test_the_recorded_budget_is_the_thousands_of_the_cap_or_the_models_room_if_less(
    cap: int | None, model_max: int, budget: int, tmp_path: Path
) -> None:
    write(tmp_path, "tpo", row("word " * 2000, ("Which?", "B")))
    task = TASKS["leval_tpo"]
    block = Block((task.name,), max_prompt_tokens=(cap,), protocol="longchat-test")
    engine = ScriptedEngine(lambda _: "B", max_model_len=model_max)
    plan = make_plan(RunSpec("scripted:a", (block,), data=str(tmp_path)), ((task,),), engine)
    cut = made_official(find_question(plan, engine, None)).cut
    assert cut.budget == budget
    assert cut.tokens_kept <= budget
    assert cut.official
