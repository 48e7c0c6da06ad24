"""Our tasks inside lm-evaluation-harness: the class that every YAML file of ``yaml_files`` names.

Only lm-eval imports this module, so it imports lm-eval at the top. Prompts, demonstrations, options, scores and metrics
are ours. If a prompt does not fit into the model, lm-eval cuts it from the left, without a record. ``evalsuite run``
cuts by the protocol's rule and records what was removed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from lm_eval.api.instance import Instance
from lm_eval.api.task import Task as LmEvalTask
from lm_eval.config.task import TaskConfig
from lm_eval.filters import build_filter_ensemble

from evalsuite.errors import MissingDataError, UsageError, unknown
from evalsuite.interop.yaml_files import PREFIX
from evalsuite.plugins import find_tasks
from evalsuite.prompts.shots import Shots, demonstration_parts, demonstration_pool, draw
from evalsuite.scoring.estimate import of_columns
from evalsuite.sources import open_source
from evalsuite.stats.clustered import Estimate
from evalsuite.task import Metric, PromptProtocol, Selection, Task
from evalsuite.types import Completion, OptionScore, Sample

Row: TypeAlias = tuple[Any, ...]
"""What a sample's error is clustered by, and the values of its answer that are averaged."""


class EvalsuiteTask(LmEvalTask):  # type: ignore[misc]  # lm-eval ships no types
    """One of our tasks under lm-eval's protocol.

    The YAML's ``metadata``, or lm-eval's ``--metadata``, may say ``data`` (the folder of the publishers' files; else
    EVALSUITE_DATA), ``protocol``, ``split`` and ``include_path`` (the folder of a task that is not built in).
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Finds the task and reads its data.

        Args:
            config: the YAML's fields.

        Raises:
            UsageError: no such task, protocol or split, or its data is missing.
        """
        said = dict(config.get("metadata") or {})
        self.ours: Task = _task(config["task"].removeprefix(PREFIX), said.get("include_path"))
        self.protocol: PromptProtocol = self.ours.protocol(said.get("protocol"))
        self.split: str = said.get("split") or self.ours.split
        self._data: str | None = said.get("data")
        self._samples: tuple[Sample, ...] = self._read(self.split)
        self._pool: tuple[Sample, ...] | None = None
        self.VERSION = self.ours.version
        self.OUTPUT_TYPE = "multiple_choice" if self.protocol.options else "generate_until"
        generation = None if self.protocol.options else _generation(self.protocol)
        self._config = TaskConfig(
            task=config["task"], output_type=self.OUTPUT_TYPE, generation_kwargs=generation, metadata=said
        )
        self._filters = [build_filter_ensemble("none", [["take_first", None]])]
        self._instances = None
        self.fewshot_rnd: random.Random | None = None
        self._seed = 0

    def has_training_docs(self) -> bool:
        """No: we draw demonstrations ourselves."""
        return False

    def has_validation_docs(self) -> bool:
        """No: everything that is asked is in the test documents."""
        return False

    def has_test_docs(self) -> bool:
        """Yes."""
        return True

    def test_docs(self) -> list[dict[str, Any]]:
        """The samples, as lm-eval writes them down."""
        return [
            {"index": index, "id": sample.id, "document": sample.document.id, "question": sample.question}
            for index, sample in enumerate(self._samples)
        ]

    def doc_to_text(self, doc: Mapping[str, Any]) -> str:
        """The prompt without demonstrations."""
        return "".join(part.text for part in self.protocol.prompt(self._sample(doc)))

    def doc_to_target(self, doc: Mapping[str, Any]) -> str:
        """The first reference; for lm-eval's log only."""
        return next(iter(self._sample(doc).references), "")

    def set_fewshot_seed(self, seed: int | None = None) -> None:
        """Seeds the draw of demonstrations."""
        self._seed = seed or 0

    def fewshot_context(
        self,
        doc: Mapping[str, Any],
        num_fewshot: int,
        *,
        system_instruction: str | None = None,
        apply_chat_template: bool = False,
        chat_template: Callable[..., str] | None = None,
        **_: Any,
    ) -> str:
        """The prompt as lm-eval sends it: our demonstrations and prompt, in a chat template where that is asked for."""
        sample = self._sample(doc)
        shots = Shots(num_fewshot, self._seed)
        shown = draw(shots, self.ours.name, self._demonstrations(), sample) if num_fewshot else ()
        parts = (*demonstration_parts(self.protocol, shown, shots), *self.protocol.prompt(sample))
        text = "".join(part.text for part in parts)
        if apply_chat_template and chat_template is not None:
            system = [{"role": "system", "content": system_instruction}] if system_instruction else []
            return chat_template([*system, {"role": "user", "content": text}])
        return f"{system_instruction}\n\n{text}" if system_instruction else text

    def construct_requests(self, doc: Mapping[str, Any], ctx: str, **more: Any) -> list[Instance]:
        """A generation, or the log-likelihood of every option."""
        kept = {key: value for key, value in more.items() if key == "metadata"}
        if self.protocol.options is None:
            # From the configuration, where lm-eval puts what --gen_kwargs says.
            arguments: list[tuple[Any, ...]] = [(ctx, deepcopy(self.config.generation_kwargs))]
            kind = "generate_until"
        else:
            arguments = [(ctx, option) for option in self.protocol.options(self._sample(doc))]
            kind = "loglikelihood"
        return [Instance(kind, dict(doc), argument, number, **kept) for number, argument in enumerate(arguments)]

    def process_results(self, doc: Mapping[str, Any], results: Sequence[Any]) -> dict[str, Any]:
        """Our score of the answer: for each metric a row of the document and the values that are averaged.

        A metric of a subset is missing outside of it. Every metric is there twice. The second time it has lm-eval's
        name of a standard error, because lm-eval's own error would treat questions of one document as independent.
        """
        sample = self._sample(doc)
        values = self.protocol.score(sample, _completion(results, scored=self.protocol.options is not None)).values
        found: dict[str, Row] = {}
        for metric in self.ours.metrics:
            if metric.subset is None or metric.subset(sample):
                found[metric.name] = (metric.cluster(sample), *(values[name] for name in metric.takes))
        return found | {_error_name(name): row for name, row in found.items()}

    def aggregation(self) -> dict[str, Callable[[Sequence[Row]], Any]]:
        """The value of each metric and, under the name of its error, the standard error clustered by document."""
        values = {metric.name: partial(_value, metric) for metric in self.ours.metrics}
        return values | {_error_name(metric.name): partial(_error, metric) for metric in self.ours.metrics}

    def higher_is_better(self) -> dict[str, bool]:
        """What each metric declares. A lower standard error is better."""
        better = {metric.name: metric.higher_is_better for metric in self.ours.metrics}
        return better | {_error_name(name): False for name in better}

    def _sample(self, doc: Mapping[str, Any]) -> Sample:
        sample: Sample = self._samples[doc["index"]]
        return sample

    def _read(self, split: str) -> tuple[Sample, ...]:
        root = Path(self._data) if self._data else None
        source = open_source(self.ours.dataset, root, split=split, optional=self.ours.generated)
        return tuple(sample for sample in self.ours.samples(Selection(source, split)) if sample.document.text)

    def _demonstrations(self) -> tuple[Sample, ...]:
        """The samples that demonstrations are drawn from: the training split, else the evaluated one."""
        if self._pool is None:
            train = self.ours.train_split
            try:
                pool = () if train is None else demonstration_pool(self._read(train))
            except MissingDataError:
                pool = ()
            self._pool = pool or demonstration_pool(self._samples)
        return self._pool


def _generation(protocol: PromptProtocol) -> dict[str, Any]:
    """How the protocol generates, in lm-eval's words: greedily, to its limit, up to its stop strings."""
    return {
        "until": list(protocol.stop),
        "max_gen_toks": protocol.max_new_tokens,
        "do_sample": False,
        "temperature": 0.0,
    }


def _completion(results: Sequence[Any], *, scored: bool) -> Completion:
    """The answer of lm-eval. It counts no tokens."""
    if scored:
        return Completion(key="", options=tuple(OptionScore(float(value), 0, bool(flag)) for value, flag in results))
    return Completion(key="", text=str(results[0]))


def _task(name: str, include_path: str | None) -> Task:
    """The task of that name.

    Raises:
        UsageError: there is none; for lm-eval, which knows nothing of ours, with what to do.
    """
    tasks = find_tasks([include_path] if include_path else ())
    if name not in tasks:
        raise UsageError(
            f"{unknown('task', name, tasks)}; a task that is not built in needs its folder: "
            '--metadata \'{"include_path": "DIR"}\''
        )
    return tasks[name]


def _error_name(metric: str) -> str:
    return f"{metric}_stderr"


def _value(metric: Metric, rows: Sequence[Row]) -> float:
    return _estimate(metric, rows).value


def _error(metric: Metric, rows: Sequence[Row]) -> float | str:
    """The standard error, as lm-eval writes it down where there is none."""
    error = _estimate(metric, rows).stderr
    return "N/A" if error is None else error


def _estimate(metric: Metric, rows: Sequence[Row]) -> Estimate:
    clusters, *columns = zip(*rows, strict=True)
    return of_columns(metric, columns, clusters)
