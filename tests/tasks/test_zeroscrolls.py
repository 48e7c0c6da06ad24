"""ZeroSCROLLS as tasks: official rows read strictly, asked as its runners ask, scored as its code scores."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import zero

from evalsuite.engines.scripted import CharacterTokenizer
from evalsuite.errors import MissingDataError, UsageError
from evalsuite.fidelity.prompt_inputs import PromptContext
from evalsuite.interfaces import OfficialCutInput
from evalsuite.plugins import find_tasks, module
from evalsuite.runs.asking.requests import groups
from evalsuite.runs.identity import prompt_hash
from evalsuite.types import Completion, Document, Refused, Request, Role, Sample

SETS = module("zeroscrolls", "sets")
TASKS = {task.name.removeprefix("zeroscrolls_"): task for task in find_tasks().values() if task.suite == "zeroscrolls"}
RULES = {"hf": "hf", "api": "api", "api-chat": "api_chat", "api-claude": "api_claude"}
GOLDEN_CASES = "prompts_zeroscrolls.jsonl.gz"
LIMIT = 4096


def read(data: Path, config: str, split: str = "validation") -> list[Sample]:
    return list(zero.plan(data, f"zeroscrolls_{config}", split=split).tasks[0].reading.samples())


def scored(config: str, text: str, *references: str) -> Any:
    sample = Sample("s", Document("d", "t"), "q", references)
    return TASKS[config].protocols[0].score(sample, Completion("k", text))


def write_golden(root: Path, records: list[dict[str, Any]]) -> Path:
    """Generated rows in the official layout: as they are (no labels) for test, with labels for validation."""
    for config in {record["config"] for record in records}:
        rows = [record["row"] for record in records if record["config"] == config]
        labelled = [{**row, "output": zero.GOLD.get(config, "the answer")} for row in rows]
        zero.write(root, config, "test", rows)
        zero.write(root, config, "validation", labelled)
    return root


def test_the_suite_has_the_ten_official_sets_with_their_metrics_and_answer_rooms() -> None:
    assert set(TASKS) == set(SETS.BY_CONFIG)
    for config, task in TASKS.items():
        one = SETS.BY_CONFIG[config]
        primary = [metric.name for metric in task.metrics if metric.primary]
        assert primary == ["rouge_geo" if one.metric == "rouge" else one.metric]
        assert [protocol.name for protocol in task.protocols] == ["api", "api-chat", "api-claude", "hf"]
        rooms = [protocol.max_new_tokens for protocol in task.protocols]
        assert rooms == [one.max_new_tokens] * 3 + [SETS.ALTERNATIVE_MAX_NEW_TOKENS]
        assert [protocol.limit_includes_generation for protocol in task.protocols] == [True, True, True, False]
        assert task.split == "validation"
        assert {file.path for file in task.dataset.hub} == {
            f"{config}.zip::{config}/{split}.jsonl" for split in ("validation", "test")
        }


@pytest.mark.parametrize("form", ["zip", "gz", "plain"])
def test_rows_are_read_from_the_official_zip_and_from_its_files(tmp_path: Path, form: str) -> None:
    text = json.dumps(zero.row("qmsum", "a", "Bob.")) + "\n"
    folder = tmp_path / "zero_scrolls"
    (folder / "qmsum").mkdir(parents=True)
    if form == "zip":
        with zipfile.ZipFile(folder / "qmsum.zip", "w") as archive:
            archive.writestr("qmsum/validation.jsonl", text)
    elif form == "gz":
        (folder / "qmsum" / "validation.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    else:
        (folder / "qmsum" / "validation.jsonl").write_text(text)
    (sample,) = read(tmp_path, "qmsum")
    assert (sample.id, sample.document.text, sample.references) == ("a", "Ann came. Bob left.", ("Bob.",))


def test_rows_of_one_id_are_one_example_with_several_references(tmp_path: Path) -> None:
    rows = [zero.row("squality", name, text) for name, text in (("a", "One."), ("b", "Two."), ("a", "Three."))]
    first, second = read(zero.write(tmp_path, "squality", "validation", rows), "squality")
    assert first.references == ("One.", "Three.")
    assert second.references == ("Two.",)
    assert first.document is second.document


def test_questions_about_one_text_come_together(tmp_path: Path) -> None:
    texts = ("x", "y", "x")
    rows = [zero.row("qasper", str(number), "a", document=text) for number, text in enumerate(texts)]
    samples = read(zero.write(tmp_path, "qasper", "validation", rows), "qasper")
    assert [sample.id for sample in samples] == ["0", "2", "1"]


@pytest.mark.parametrize(
    ("config", "change", "said"),
    [
        ("qasper", {"document_end_index": 10_000}, "validation.jsonl:2: field 'document_end_index' is 10000"),
        ("qasper", {"query_start_index": -5}, "validation.jsonl:2: field 'query_start_index' is -5"),
        ("qasper", {"document_start_index": 370}, "field 'document_end_index' is 347; it must lie between 370 and"),
        ("qasper", {"query_end_index": None}, "validation.jsonl:2: field 'query_end_index' is missing"),
        ("qasper", {"truncation_seperator": None}, "validation.jsonl:2: field 'truncation_seperator' is missing"),
        ("qasper", {"output": ["a"]}, "validation.jsonl:2: field 'output' must be a string"),
        ("quality", {"output": "yes"}, "validation.jsonl:2: field 'output' is 'yes', in which there is no letter A"),
        ("space_digest", {"output": "60"}, "field 'output' is '60', in which there is no percentage"),
        ("book_sum_sort", {"output": "3"}, "field 'output' is '3', which has no two ids"),
        ("qasper", {"id": "a", "input": "x" * 500}, "field 'id' is 'a' again, but with another input"),
    ],
)
def test_a_faulty_row_is_refused_by_file_line_and_field(
    tmp_path: Path, config: str, change: dict[str, Any], said: str
) -> None:
    good = zero.row(config, "a", zero.GOLD.get(config, "Bob"))
    zero.write(tmp_path, config, "validation", [good, {**good, "id": "b", **change}])
    with pytest.raises(UsageError) as refused:
        read(tmp_path, config)
    assert said in str(refused.value)


def test_where_the_official_files_are_absent_the_message_says_how_to_get_them(tmp_path: Path) -> None:
    # QMSum's own file lies where an unpacked qmsum.zip would: it is not taken for the official one
    (tmp_path / "qmsum").mkdir()
    (tmp_path / "qmsum" / "test.jsonl").write_text('{"topic_list": []}\n')
    with pytest.raises(MissingDataError, match=r"Get qmsum\.zip of tau/zero_scrolls from the Hugging Face hub"):
        read(tmp_path, "qmsum", "test")


def test_validation_says_its_size_aloud(tmp_path: Path) -> None:
    zero.write(tmp_path, "qasper", "validation", [zero.row("qasper", str(number), "a") for number in range(21)])
    (notice,) = zero.plan(tmp_path, "zeroscrolls_qasper").notices
    assert "validation of qasper has 21 examples: too few" in notice


def test_an_example_without_a_label_is_answered_and_skipped_never_a_zero(tmp_path: Path) -> None:
    rows = [zero.row("qasper", "a", None), zero.row("qasper", "b", "  "), zero.row("qasper", "c", "the answer")]
    data = zero.write(tmp_path / "data", "qasper", "test", rows)
    asked = zero.plan(data, "zeroscrolls_qasper", split="test")
    assert any("2 of 3 examples have no label" in notice for notice in asked.notices)
    cell = zero.run(asked, tmp_path / "out", zero.engine())["zeroscrolls_qasper"]
    assert (cell.value, cell.asked, cell.scored, cell.skipped, cell.complete) == (100.0, 3, 1, 2, True)
    assert len((tmp_path / "out" / "completions.jsonl").read_text().splitlines()) == 1, "one prompt, one answer"
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "out" / "scores.jsonl").read_text().splitlines()]
    assert reasons == ["no label", "no label", ""]


def test_a_split_without_any_label_has_no_value(tmp_path: Path) -> None:
    data = zero.write(tmp_path / "data", "quality", "test", [zero.row("quality", "a", None)])
    asked = zero.plan(data, "zeroscrolls_quality", split="test")
    cell = zero.run(asked, tmp_path / "out", zero.engine())["zeroscrolls_quality"]
    assert (cell.value, cell.asked, cell.skipped) == (None, 1, 1)


@pytest.mark.parametrize(
    ("config", "text", "gold", "value", "scorable", "answer"),
    [
        ("quality", "(B) because", "B", 100.0, True, "B"),
        ("quality", "none of them", "B", 0.0, False, "none of them"),
        ("space_digest", "about 50% of them", "60%", 50.0, True, "50%"),
        ("space_digest", "sixty", "60%", 0.0, False, "sixty"),
        ("book_sum_sort", "2, 3, 1", "2, 1, 3", 100 * 2 / 3, True, "2, 3, 1"),
        ("book_sum_sort", "2, 1", "2, 1, 3", 0.0, True, "2, 1"),
        ("book_sum_sort", "in order", "2, 1, 3", 0.0, False, "in order"),
        ("musique", "The Answer", "answer", 100.0, True, "The Answer"),
    ],
)
def test_an_answer_is_scored_as_officially(
    config: str, text: str, gold: str, value: float, scorable: Any, answer: str
) -> None:
    found = scored(config, text, gold)
    assert found.values == {SETS.BY_CONFIG[config].metric: pytest.approx(value)}
    assert (found.scorable, found.answer) == (scorable, answer)


def test_the_rouge_score_is_of_the_means_and_the_papers_is_beside_it(tmp_path: Path) -> None:
    rows = [zero.row("squality", "a", "the answer", document="x"), zero.row("squality", "b", "nothing", document="y")]
    data = zero.write(tmp_path / "data", "squality", "validation", rows)
    zero.run(zero.plan(data, "zeroscrolls_squality"), tmp_path / "out", zero.engine())
    cells = {cell["metric"]: cell for cell in json.loads((tmp_path / "out" / "cells.json").read_text())}
    assert cells["rouge_geo"]["value"] == pytest.approx(50.0)
    assert cells["rouge_geo_sample"]["value"] == pytest.approx(50.0)
    assert cells["rouge_geo"]["primary"]
    found = scored("squality", "the answer is", "the answer")
    assert found.values["rouge1"] == pytest.approx(80.0)
    assert found.values["rouge_geo_sample"] == pytest.approx((80 * 80 * 200 / 3) ** (1 / 3))


def test_the_rouge_score_is_no_mean_of_sample_scores(tmp_path: Path) -> None:
    """Two samples whose ROUGE values differ: the geometric mean of the means is not the mean of geometric means."""
    rows = [
        zero.row("squality", "a", "the answer Ann gave", document="x"),
        zero.row("squality", "b", "an answer", document="y"),
    ]
    data = zero.write(tmp_path / "data", "squality", "validation", rows)
    found = zero.run(zero.plan(data, "zeroscrolls_squality"), tmp_path / "out", zero.engine())
    del found
    stored = [json.loads(line)["values"] for line in (tmp_path / "out" / "scores.jsonl").read_text().splitlines()]
    cells = {cell["metric"]: cell["value"] for cell in json.loads((tmp_path / "out" / "cells.json").read_text())}
    means = [sum(values[kind] for values in stored) / 2 for kind in ("rouge1", "rouge2", "rougeL")]
    of_samples = sum(values["rouge_geo_sample"] for values in stored) / 2
    assert cells["rouge_geo"] == pytest.approx((means[0] * means[1] * means[2]) ** (1 / 3))
    assert cells["rouge_geo_sample"] == pytest.approx(of_samples)
    assert abs(cells["rouge_geo"] - cells["rouge_geo_sample"]) > 1


def test_the_parts_joined_are_the_official_prompt_and_the_document_is_a_part(tmp_path: Path) -> None:
    row = zero.row("qasper", "a", "Bob")
    (sample,) = read(zero.write(tmp_path, "qasper", "validation", [row]), "qasper")
    prompts = {protocol.name: protocol.prompt(sample) for protocol in TASKS["qasper"].protocols}
    texts = {name: "".join(part.text for part in parts) for name, parts in prompts.items()}
    assert texts["api"] == texts["hf"] == row["input"]
    assert texts["api-chat"].endswith("Question:\nWho left?")
    assert "“unanswerable”. Do not provide any explanation.\n\nArticle:\nAnn" in texts["api-chat"]
    assert texts["api-claude"].startswith("\n\nHuman: You are given a scientific article")
    assert texts["api-claude"].endswith("Who left?\n\nAssistant: Answer: <answer>")
    for parts in prompts.values():
        (document,) = [part for part in parts if part.role is Role.DOCUMENT]
        assert document.text == sample.document.text
    for protocol in TASKS["qasper"].protocols:
        assert protocol.stop == (("</answer>",) if protocol.name == "api-claude" else ())


def test_our_own_cuts_work_on_it_too(tmp_path: Path) -> None:
    row = zero.row("qasper", "a", "Bob", document="word " * 200)
    data = zero.write(tmp_path, "qasper", "validation", [row])
    asked = zero.plan(data, "zeroscrolls_qasper", strategy="document-left", max_prompt_tokens=(900,))
    ((request,),) = groups(asked, zero.engine())
    assert isinstance(request, Request)
    # the cap is of prompt and answer (128)
    assert len(request.prompt) == 900 - 128
    assert [removal.role for removal in request.cut.removed] == [Role.DOCUMENT]


@pytest.mark.parametrize("name", list(RULES))
def test_a_run_sends_the_golden_prompts_token_for_token(name: str, golden: Path, tmp_path: Path) -> None:
    wanted = golden_prompts(name, golden)
    records = [record for record in zero.golden_records(golden) if record["record"] in wanted]
    cut = sorted((r for r in records if wanted[r["record"]]["truncated"]), key=lambda r: len(r["row"]["input"]))
    whole = [record for record in records if not wanted[record["record"]]["truncated"]]
    data = write_golden(tmp_path, [*cut[:6], *whole[:4]])
    tasks = ",".join(f"zeroscrolls_{path.name}" for path in (data / "zero_scrolls").iterdir())
    asked = zero.plan(data, tasks, protocol=name, split="test", max_prompt_tokens=(LIMIT,))
    model = zero.engine(tokenizer=PromptContext(golden).tokenizer("bytelevel"))
    sent = {one.sample_id: one for group in groups(asked, model) for one in group if isinstance(one, Request)}
    assert len(sent) == 10
    for key, request in sent.items():
        expected = wanted[f"zs-s-{key.removeprefix('s0')}"]
        digest = expected.get("token_ids_sha256") or prompt_hash(expected["token_ids"])
        assert prompt_hash(request.prompt) == digest, key
        assert request.cut.is_cut == expected["truncated"]


def golden_prompts(name: str, golden: Path) -> dict[str, Any]:
    """What the official runner sends of each generated row, where its answer room is ours."""
    rooms = {config: task.protocol(name).max_new_tokens for config, task in TASKS.items()}
    with gzip.open(golden / GOLDEN_CASES, "rt", encoding="utf-8") as file:
        cases = [json.loads(line) for line in file if '"bytelevel"' in line]
    return {
        case["record"]: case["expected"]
        for case in cases
        if (case["rule"], case["limit"]) == (RULES[name], LIMIT)
        and case["max_new_tokens"] in (None, rooms[case["config"]])
        and not case["expected"].get("partial_character")
        and case["category"] not in ("document", "unicode")
    }


@pytest.mark.parametrize("name", list(RULES))
def test_all_ten_sets_run_end_to_end_by_every_official_rule(name: str, golden: Path, tmp_path: Path) -> None:
    short = [record for record in zero.golden_records(golden) if len(record["row"]["input"]) < 14_000]
    asked = zero.plan(write_golden(tmp_path, short), protocol=name, max_prompt_tokens=(9000,))
    cells = zero.run(asked, tmp_path / "out", zero.engine("B, 60%; 2, 1, 3: the answer"))
    assert len(cells) == 10
    assert sum(cell.asked for cell in cells.values()) == len(short) > 25
    # one generated row has an empty document
    assert sum(cell.skipped for cell in cells.values()) == 1
    assert all(cell.complete and cell.value is not None for cell in cells.values())
    assert sum(cell.cut for cell in cells.values()) > 5


def test_a_prompt_that_the_official_code_sends_over_its_limit_is_refused_by_name(tmp_path: Path) -> None:
    data = zero.write(tmp_path, "qasper", "validation", [zero.row("qasper", "long-one", "Bob", document="w " * 900)])
    asked = zero.plan(data, "zeroscrolls_qasper", max_prompt_tokens=(160,))
    ((refused,),) = groups(asked, zero.engine())
    assert isinstance(refused, Refused)
    assert "sample long-one: after the official cut the prompt has" in refused.reason


class Counting(CharacterTokenizer):
    """Counts how often a long text is tokenized."""

    long_texts = 0

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        self.long_texts += len(text) > 1000
        return super().encode(text, special_tokens=special_tokens)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        self.long_texts += len(text) > 1000
        return super().offsets(text)


@pytest.mark.parametrize(("name", "most"), [("api", 3), ("api-chat", 3), ("api-claude", 3), ("hf", 4)])
def test_a_book_is_not_tokenized_more_often_than_needed(tmp_path: Path, name: str, most: int) -> None:
    row = zero.row("qasper", "a", "Bob", document="word " * 2000)
    (sample,) = read(zero.write(tmp_path, "qasper", "validation", [row]), "qasper")
    protocol, tokenizer = TASKS["qasper"].protocol(name), Counting()
    assert protocol.cut is not None
    made = protocol.cut(OfficialCutInput(sample, protocol.prompt(sample), 1000, 100, tokenizer))
    assert made.removed
    assert tokenizer.long_texts <= most
