"""lm-eval's tasks on our engines: the same prompts, and the numbers lm-eval itself gives for the same model."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made import toy_data, toy_rows, toy_run

from evalsuite.cli.main import main
from evalsuite.engines.scripted import CharacterTokenizer, ScriptedEngine
from evalsuite.errors import UsageError
from evalsuite.interop import harness
from evalsuite.interop.harness import SUITES, harness_tasks, is_harness
from evalsuite.interop.selection import choose_tasks, known_tasks
from evalsuite.plugins import find_tasks
from evalsuite.records import Block, RunSpec
from evalsuite.runs.directory.store import read_record, write_record
from evalsuite.runs.execute import execute
from evalsuite.runs.planning.make_plan import make_plan
from evalsuite.runs.scored import score_folder
from evalsuite.task import Selection
from evalsuite.types import Completion, OptionScore, Request

DOCS = 12
CAPITALS = ["Paris", "Rome", "Oslo", "Lima", "Cairo", "Delhi", "Quito", "Tunis", "Dakar", "Sofia", "Minsk", "Hanoi"]


def told(text: str) -> float:
    """A made-up log-probability of a text's last character behind the two before it."""
    return -(zlib.crc32(text[-3:].encode()) % 1000) / 100


def likelihood(before: str, text: str) -> float:
    return sum(told(before + text[: end + 1]) for end in range(len(text)))


def answer(prompt: str) -> str:
    """Something to score: a number for some prompts, with words around it for others."""
    number = zlib.crc32(prompt.encode()) % 3
    return f" {number}\n\nrest" if number else f" I say The answer is {len(prompt) % 3}.\n\nrest"


class Characters(ScriptedEngine):
    """Our side's model."""

    def __init__(self) -> None:
        super().__init__(answer, name="characters")

    def complete(self, groups: Iterable[Sequence[Request]]) -> Iterator[Completion]:
        tokenizer = CharacterTokenizer()
        for request in (request for group in groups for request in group):
            if not request.options:
                yield self._complete(request)
                continue
            before = tokenizer.decode(request.prompt, skip_special_tokens=True)
            texts = [tokenizer.decode(option) for option in request.options]
            scores = (OptionScore(likelihood(before, text), len(text), greedy=False) for text in texts)
            yield Completion(key=request.key, options=tuple(scores))


def theirs() -> Any:
    """lm-eval's side of the same model."""
    from lm_eval.api.model import LM

    class Model(LM):
        def generate_until(self, requests: list[Any], **_: Any) -> list[str]:
            return [answer(request.args[0]).split("\n\n")[0] for request in requests]

        def loglikelihood(self, requests: list[Any], **_: Any) -> list[tuple[float, bool]]:
            return [(likelihood(*request.args), False) for request in requests]

        def loglikelihood_rolling(self, requests: list[Any], **_: Any) -> list[float]:
            raise AssertionError(requests)

    return Model()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("harness")
    rows = [
        {
            "q": f"Which city is number {n}?",
            "choices": [CAPITALS[(n + k) % DOCS] for k in range(3)],
            "gold": n % 3,
            "n": n,
        }
        for n in range(DOCS)
    ]
    data = root / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    common = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(data)}}, "test_split": "test"}
    choice = {
        "output_type": "multiple_choice",
        "doc_to_text": "Question: {{q}}\nAnswer:",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "{{gold}}",
        "fewshot_split": "test",
        "num_fewshot": 2,
        "metric_list": [
            {"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")
        ],
    }
    reply = {
        "output_type": "generate_until",
        "doc_to_text": "Q: {{q}}\nA:",
        "doc_to_target": "{{gold}}",
        "generation_kwargs": {"until": ["\n\n"], "max_gen_toks": 40},
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
        "filter_list": [
            {
                "name": name,
                "filter": [{"function": "regex", "regex_pattern": pattern}, {"function": "take_first"}],
            }
            for name, pattern in (("strict", "The answer is (\\d)"), ("flexible", "(\\d)"))
        ],
    }
    (root / "gaps.py").write_text(
        "def gold(doc):\n    return doc['gold']\n\n"
        "def texts(doc):\n    return [f'Once more the train left for {c}' for c in doc['choices']]\n\n"
        "def rest(doc):\n    return f\"before number {doc['n']} came.\"\n"
    )
    gaps = {
        "output_type": "multiple_choice",
        "doc_to_text": "GOLD",
        "doc_to_choice": "TEXTS",
        "doc_to_target": "REST",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }
    for name, fields in {"choice": choice, "reply": reply, "gaps": gaps}.items():
        text = json.dumps({"task": f"local_{name}", **common, **fields}, indent=1)
        for mark in ("GOLD", "TEXTS", "REST"):
            text = text.replace(f'"{mark}"', f"!function gaps.{mark.lower()}")
        (root / f"local_{name}.yaml").write_text(text)
    return root


def ours(name: str, out: Path) -> dict[str, float | None]:
    """The values of the cells of a run."""
    tasks = harness_tasks([name])
    engine = Characters()
    plan = make_plan(RunSpec("scripted:characters", (Block((name,), shots=(0, 5)),)), (tasks,), engine)
    assert [cell.setting.shots for cell in plan.cells] == [tasks[0].protocols[0].own_shots]
    execute(plan, engine, out, lambda _: None)
    return {cell.metric: cell.value for cell in score_folder(out, {task.name: task for task in tasks})}


@pytest.fixture(autouse=True)
def _without_a_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("EVALSUITE_DATA", raising=False)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("task", "metrics"),
    [
        ("choice", {"acc", "acc_norm"}),
        ("reply", {"exact_match,strict", "exact_match,flexible"}),
        ("gaps", {"acc"}),
    ],
)
def test_a_task_of_lm_eval_gives_the_same_numbers_here_and_there(
    folder: Path, tmp_path: Path, task: str, metrics: set[str]
) -> None:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    found = ours(f"lm-eval:{folder / f'local_{task}.yaml'}", tmp_path / "run")
    manager = TaskManager(include_path=str(folder), include_defaults=False)
    expected = simple_evaluate(
        model=theirs(), tasks=[f"local_{task}"], task_manager=manager, bootstrap_iters=0, log_samples=False
    )["results"][f"local_{task}"]
    assert set(found) == metrics
    for metric, value in found.items():
        key = metric if "," in metric else f"{metric},none"
        assert value == pytest.approx(100 * expected[key], abs=1e-9), metric
    assert max(value or 0 for value in found.values()) > 0
    assert min(value or 0 for value in found.values()) < 100


def test_two_readings_at_once_draw_the_same_demonstrations(folder: Path) -> None:
    (task,) = harness_tasks([f"lm-eval:{folder / 'local_choice.yaml'}@3"])
    everything = Selection(None, "test")
    alone = list(task.samples(everything))
    one, other = task.samples(everything), task.samples(everything)
    pairs = list(zip(one, other, strict=True))
    assert pairs == [(sample, sample) for sample in alone]


def test_prompts_and_demonstrations_are_lm_eval_s(folder: Path) -> None:
    from lm_eval.tasks import TaskManager

    (task,) = harness_tasks([f"lm-eval:{folder / 'local_choice.yaml'}@3"])
    everything = Selection(None, "test")  # lm-eval reads the data itself
    made = ["".join(part.text for part in task.protocols[0].prompt(sample)) for sample in task.samples(everything)]
    part = TaskManager(include_path=str(folder), include_defaults=False).load(["local_choice"])["tasks"]["local_choice"]
    part.set_config("num_fewshot", 3)
    part.set_fewshot_seed(harness.FEWSHOT_SEED)
    part.build_all_requests()
    assert made == [part.instances[at].args[0] for at in range(0, len(part.instances), 3)]
    assert all(prompt.count("Question:") == 4 for prompt in made)
    again = ["".join(part.text for part in task.protocols[0].prompt(sample)) for sample in task.samples(everything)]
    assert made == again
    assert (task.name, task.protocols[0].name) == ("lm-eval:local_choice@3", "lm-eval-3-shot")


def test_names_of_both_kinds_are_taken_in_order(folder: Path) -> None:
    name = f"lm-eval:{folder / 'local_gaps.yaml'}"
    chosen = choose_tasks(["qasper", name, "quality"], find_tasks())
    assert [task.name for task in chosen] == ["qasper", "lm-eval:local_gaps", "quality"]
    known = known_tasks(find_tasks(), ["qasper", name], {"qasper", "lm-eval:local_gaps"}, named=[name])
    assert set(known) == {*find_tasks(), "lm-eval:local_gaps"}


def test_a_file_that_a_run_directory_names_is_not_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mark = f"import pathlib\n\npathlib.Path({str(tmp_path / 'was-run')!r}).touch()\n"
    (tmp_path / "code.py").write_text(f"{mark}\n\ndef docs(dataset):\n    return dataset\n")
    (tmp_path / "theirs.yaml").write_text("task: theirs\nprocess_docs: !function code.docs\n")
    asked = f"lm-eval:{tmp_path / 'theirs.yaml'}"
    out = tmp_path / "run"
    assert main(toy_run(out, toy_data(tmp_path, toy_rows(1, 1)))) == 0
    record = read_record(out)
    settings = tuple(replace(one, task="lm-eval:theirs") for one in record.settings)
    write_record(out, replace(record, spec=replace(record.spec, blocks=(Block((asked,)),)), settings=settings))
    capsys.readouterr()
    assert main(["score", str(out)]) == 2
    assert f"a run directory loads none: if you trust the file, name it on the command line (--tasks {asked})" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "was-run").exists()
    assert main(["score", str(out), "--tasks", asked]) == 2
    assert (tmp_path / "was-run").exists(), "the file is one that runs code when it is loaded"


def test_a_name_out_of_a_record_is_not_taken_for_a_file_beside_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain_name").write_text("task: plain_name\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="unknown lm-eval task 'plain_name'"):
        known_tasks({}, ["lm-eval:plain_name"], {"lm-eval:plain_name"})


@pytest.mark.slow
def test_the_paper_s_short_tasks_are_all_there_with_its_shots() -> None:
    known = set(harness._manager(defaults=True).all_tasks)
    names = [member.partition("@")[0] for member in SUITES["llama2-short"]]
    assert set(names) <= known
    assert len(names) == 17
    assert is_harness("llama2-short")
    assert not any(is_harness(name) for name in find_tasks())


@pytest.mark.slow
def test_an_unknown_task_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown lm-eval task 'hellaswagg'; did you mean .*hellaswag"):
        harness_tasks(["lm-eval:hellaswagg"])


@pytest.mark.parametrize(("name", "says"), [("gsm8k@many", "number of demonstrations"), ("no.yaml", "no such file")])
def test_a_malformed_name_is_one_clear_line(name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        harness_tasks([f"lm-eval:{name}"])


def test_a_task_whose_data_cannot_be_had_is_one_clear_line(folder: Path) -> None:
    broken = folder / "broken.yaml"
    broken.write_text((folder / "local_choice.yaml").read_text().replace("rows.jsonl", "gone.jsonl"))
    with pytest.raises(UsageError, match="lm-eval cannot load it"):
        harness_tasks([f"lm-eval:{broken}"])
