"""Our tasks under lm-eval: the same list, the same prompts, the same numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from made import TOY, cells, evalsuite, toy_data, toy_rows

from evalsuite.demo.formats import write_world
from evalsuite.engines.registry import open_prompt_side
from evalsuite.errors import UsageError
from evalsuite.interop.yaml_files import PREFIX, write_all, yaml_of
from evalsuite.plugins import built_in_folder, find_tasks, select_tasks, tasks_by_folder
from evalsuite.records import Block, RunSpec
from evalsuite.runs.asking.requests import groups
from evalsuite.runs.planning.make_plan import make_plan
from evalsuite.types import Request

WORDS = 8


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("world")
    write_world(root, tasks=("qasper", "quality", "qmsum"), documents=3, questions=2, count=lambda text: len(text) // 4)
    return root / "length-512"


def manager(data: Path, **metadata: str) -> Any:
    from lm_eval.tasks import TaskManager

    said = {"data": str(data), **metadata}
    return TaskManager(include_path=str(built_in_folder()), include_defaults=False, metadata=said)


def adapted(data: Path, task: str, **metadata: str) -> Any:
    return manager(data, **metadata).load([PREFIX + task])["tasks"][PREFIX + task]


def prompts(data: Path, task: str, shots: int, seed: int) -> Iterator[tuple[str, str]]:
    """Sample id and whole prompt, as ``evalsuite run`` makes them."""
    side = open_prompt_side("scripted:silent")
    block = Block((task,), shots=(shots,), seeds=(seed,))
    spec = RunSpec("scripted:silent", (block,), data=str(data))
    plan = make_plan(spec, (select_tasks([task], find_tasks()),), side)
    for group in groups(plan, side):
        for request in group:
            assert isinstance(request, Request)
            yield request.sample_id, side.tokenizer.decode(request.prompt, skip_special_tokens=True)


def test_lm_eval_lists_our_tasks_and_no_others(data: Path) -> None:
    assert set(manager(data).all_tasks) == {PREFIX + name for name in find_tasks()}


def test_every_yaml_is_what_its_task_makes_of_it_and_there_is_no_other() -> None:
    made = {
        folder / "lm_eval" / f"{task.name}.yaml": yaml_of(task)
        for folder, tasks in tasks_by_folder().items()
        for task in tasks
    }
    assert len(made) == len(find_tasks())
    assert {path: path.read_text() for path in built_in_folder().rglob("*.yaml")} == made
    assert {text.count("\n") for text in made.values()} == {3}


@pytest.mark.parametrize("task", ["qasper", "quality", "qmsum"])
@pytest.mark.parametrize("shots", [0, 2])
def test_prompts_with_demonstrations_are_the_same_in_both(data: Path, task: str, shots: int) -> None:
    theirs = adapted(data, task)
    theirs.set_fewshot_seed(7)
    made = {doc["id"]: theirs.fewshot_context(doc, shots) for doc in theirs.test_docs()}
    assert made == dict(prompts(data, task, shots, seed=7))


def first_words(text: str) -> str:
    return " ".join(text.split()[:WORDS])


def model() -> Any:
    """A model of lm-eval that answers as ``scripted:first-words`` does."""
    from lm_eval.api.model import LM

    class FirstWords(LM):
        def generate_until(self, requests: list[Any], **_: Any) -> list[str]:
            return [self._answer(*request.args) for request in requests]

        def loglikelihood(self, requests: list[Any], **_: Any) -> list[tuple[float, bool]]:
            # Longer is likelier: neither the first option nor a tie decides.
            return [(len(request.args[1]), False) for request in requests]

        def loglikelihood_rolling(self, requests: list[Any], **_: Any) -> list[float]:
            raise AssertionError(requests)

        def _answer(self, text: str, how: Mapping[str, Any]) -> str:
            assert how["max_gen_toks"] > 0
            said = first_words(text)
            return min((said.split(stop)[0] for stop in how["until"]), key=len, default=said)

    return FirstWords()


@pytest.mark.parametrize("task", ["qasper", "quality", "qmsum"])
def test_lm_eval_gives_the_numbers_evalsuite_gives_for_the_same_answers(
    data: Path, tmp_path: Path, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lm_eval import simple_evaluate

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    theirs = simple_evaluate(
        model=model(), tasks=[PREFIX + task], task_manager=manager(data), bootstrap_iters=0, log_samples=True
    )
    ran = evalsuite(
        *("run", "--model", "scripted:first-words", "--tasks", task, "--max-new-tokens", "512"),
        *("--data", data, "--out", tmp_path / "run"),
    )
    assert ran.returncode == 0, ran.stderr
    found = theirs["results"][PREFIX + task]
    for cell in cells(tmp_path / "run"):
        if cell["value"] is None:
            # No sample belongs to the metric's subset.
            assert f"{cell['metric']},none" not in found
        else:
            assert found[f"{cell['metric']},none"] == pytest.approx(cell["value"], abs=1e-9), cell["metric"]
            error = found[f"{cell['metric']}_stderr,none"]
            assert error == ("N/A" if cell["stderr"] is None else pytest.approx(cell["stderr"], abs=1e-9))


def test_generation_arguments_of_the_command_line_reach_the_model(data: Path) -> None:
    task = adapted(data, "qmsum")
    task.set_config("generation_kwargs", {"max_gen_toks": 16}, update=True)  # what lm-eval does with --gen_kwargs
    ours = find_tasks()["qmsum"].protocol(None)
    (request,) = task.construct_requests(task.test_docs()[0], "prompt", metadata=("qmsum", 0, 1))
    assert request.args[1] == {
        "until": list(ours.stop),
        "max_gen_toks": 16,
        "do_sample": False,
        "temperature": 0.0,
    }


def test_options_reach_the_scorer_in_their_order(data: Path) -> None:
    task = adapted(data, "quality", protocol="loglikelihood")
    doc = task.test_docs()[0]
    requests = task.construct_requests(doc, task.fewshot_context(doc, 0), metadata=("quality", 0, 1))
    sample = task._samples[0]
    assert [request.args[1] for request in requests] == [f" {choice}" for choice in sample.choices]
    scores = [(0.0 if number == sample.gold else -999.0, False) for number in range(len(requests))]
    assert task.process_results(doc, scores)["accuracy"] == (sample.document.id, 100)
    assert task.process_results(doc, scores[::-1])["accuracy"] == (sample.document.id, 0)


@pytest.fixture
def included(tmp_path: Path) -> Path:
    """A task of a third party with the YAML lm-eval needs, and its data: four documents of three questions."""
    folder = copytree(TOY, tmp_path / "theirs")
    (folder / "toy" / "lm_eval").mkdir()
    (folder / "toy" / "lm_eval" / "own.yaml").write_text("task: own\n")
    (folder / "toy" / "lm_eval" / "gone.yaml").write_text(yaml_of(find_tasks()["qasper"]))
    write_all(str(folder))
    words = [{**row, "answers": [row["text"][: 30 * (n % 4)]]} for n, row in enumerate(toy_rows())]
    toy_data(tmp_path / "data", words)
    return folder


def test_a_task_that_is_not_built_in_runs_under_lm_eval_with_our_standard_errors(
    included: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager
    from lm_eval.utils import make_table

    assert {path.name for path in (included / "toy" / "lm_eval").iterdir()} == {"own.yaml", "toy.yaml"}
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = {"data": str(tmp_path / "data"), "include_path": str(included)}
    tasks = TaskManager(include_path=str(included), include_defaults=False, metadata=said)
    theirs = simple_evaluate(model=model(), tasks=["evalsuite_toy"], task_manager=tasks, log_samples=True)
    ran = evalsuite(
        *("run", "--model", "scripted:first-words", "--tasks", "toy", "--include-path", included),
        *("--max-new-tokens", "512", "--data", tmp_path / "data", "--out", tmp_path / "run"),
    )
    assert ran.returncode == 0, ran.stderr
    found = theirs["results"]["evalsuite_toy"]
    for cell in cells(tmp_path / "run"):
        name = cell["metric"]
        assert found[f"{name},none"] == pytest.approx(cell["value"], abs=1e-9)
        assert found[f"{name}_stderr,none"] == pytest.approx(cell["stderr"], abs=1e-9)
        rows = [line.split("|") for line in make_table(theirs).splitlines() if f"|{name}" in line.replace(" ", "")]
        assert [float(row[-2]) for row in rows] == [pytest.approx(cell["stderr"], abs=1e-4)]
        assert cell["stderr"] > 0 or name != "f1"
    json.dumps(theirs["samples"])


def test_lm_eval_is_told_where_to_name_the_folder_of_a_task_it_cannot_find(included: Path, tmp_path: Path) -> None:
    from lm_eval.tasks import TaskManager

    tasks = TaskManager(include_path=str(included), include_defaults=False, metadata={"data": str(tmp_path / "data")})
    with pytest.raises(UsageError, match=r"unknown task 'toy'.*--metadata '\{\"include_path\": \"DIR\"\}'"):
        tasks.load(["evalsuite_toy"])


def test_one_document_has_no_standard_error_under_lm_eval(data: Path) -> None:
    task = adapted(data, "qmsum")
    error = task.aggregation()["rouge_geo_stderr"]
    assert error([("a", 1.0, 2.0, 3.0), ("a", 2.0, 3.0, 4.0)]) == "N/A"
    assert error([("a", 1.0, 2.0, 3.0), ("b", 2.0, 3.0, 4.0)]) > 0
    assert task.higher_is_better()["rouge_geo"] is True
