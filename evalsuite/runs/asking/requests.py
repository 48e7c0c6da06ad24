"""Makes requests of exact token ids from a plan, one unit after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from evalsuite.errors import UsageError, unknown
from evalsuite.interfaces import PromptSide
from evalsuite.prompts.fit import (
    Budget,
    Fitted,
    check_frame,
    fit,
    prompt_budget,
)
from evalsuite.prompts.render import Rendered, option_ids, render
from evalsuite.prompts.shots import demonstration_parts, draw
from evalsuite.prompts.strategies import STRATEGIES
from evalsuite.records import RequestRecord
from evalsuite.runs.asking.official import check_official, official
from evalsuite.runs.identity import completion_key, prompt_hash
from evalsuite.runs.planning.plan import CellPlan, Plan, Unit
from evalsuite.types import Refused, Request, Sample, Skipped, Span
from evalsuite.work import Choose, Generate, Loss, Work

_KINDS: Mapping[type[Work], Literal["generate", "choose", "loss"]] = {
    Generate: "generate",
    Choose: "choose",
    Loss: "loss",
}


@dataclass(frozen=True)
class Question:
    """One sample in one cell, before its request is made."""

    cell: CellPlan
    sample: Sample
    model: PromptSide

    @cached_property
    def demonstrations(self) -> tuple[Sample, ...]:
        """Its demonstrations."""
        return draw(self.cell.shots, self.cell.task.name, self.cell.pool, self.sample)

    @cached_property
    def rendered(self) -> Rendered:
        """Its parts and frame."""
        shown = demonstration_parts(self.cell.protocol, self.demonstrations, self.cell.shots)
        block, tokenizer = self.cell.block, self.model.tokenizer
        chat, date = block.chat_template, block.template_date
        return render(self.cell.protocol, self.sample, shown, tokenizer, chat=chat, date=date)

    @cached_property
    def options(self) -> tuple[tuple[int, ...], ...]:
        """Token ids of the options whose log-likelihoods are compared; empty for a generation."""
        if self.cell.protocol.options is None:
            return ()
        texts = self.cell.protocol.options(self.sample)
        found = option_ids(self.rendered, texts, self.model.tokenizer)
        if not all(found):
            raise UsageError(f"sample {self.sample.id}: its option {texts[found.index(())]!r} has no tokens to compare")
        return found

    @cached_property
    def answer_tokens(self) -> int:
        """Tokens that are reserved for the answer."""
        if self.options:
            return max(len(ids) for ids in self.options)
        return self.cell.block.max_new_tokens or self.cell.protocol.max_new_tokens

    @cached_property
    def work(self) -> Work:
        """The kind of work."""
        if self.options:
            return Choose(self.options)
        return Generate(self.answer_tokens, self.cell.protocol.stop)

    @cached_property
    def budget(self) -> Budget:
        """The largest number of tokens of its prompt."""
        return prompt_budget(
            self.model.info.max_model_len,
            self.cell.setting.max_prompt_tokens,
            self.answer_tokens,
            limit_includes_generation=self.cell.protocol.limit_includes_generation,
        )

    @property
    def id(self) -> str:
        """Unique in a run."""
        return f"{self.cell.setting.key}/{self.sample.id}"

    @property
    def before(self) -> str:
        """The text of the prompt before the part that no cut may remove."""
        end = STRATEGIES[self.cell.setting.strategy].cuttable(self.rendered.parts).end
        return "".join(part.text for part in self.rendered.parts)[:end]

    def fitted(self, aligned: Span | None = None) -> Fitted | None:
        """Its prompt, cut to the budget; None if it is skipped because of its length.

        Args:
            aligned: the part of the prompt's text that is cut for all questions of the document.
        """
        if self.cell.setting.strategy == "official":
            return official(self)
        rendered, strategy = self.rendered, self.cell.setting.strategy
        tokenizer, sample = self.model.tokenizer, self.sample
        return fit(rendered.parts, rendered.frame, self.budget, strategy, tokenizer, sample, aligned=aligned)


Prepared: TypeAlias = Request | Skipped | Refused
"""The result of preparing a question."""


def groups(plan: Plan, model: PromptSide) -> Iterator[tuple[Prepared, ...]]:
    """The requests of a plan, unit after unit. A unit is prepared when it is needed."""
    return (prepare_unit(unit, model) for unit in plan.units())


def prepare_unit(unit: Unit, model: PromptSide) -> tuple[Prepared, ...]:
    """The requests of a unit, cell after cell."""
    return tuple(one for cell in unit.cells for one in _prepared(cell, unit.samples, model))


def request_record(request: Prepared) -> RequestRecord:
    """The line of ``requests.jsonl``."""
    if isinstance(request, Skipped | Refused):
        skipped, refused = (request.reason, None) if isinstance(request, Skipped) else (None, request.reason)
        name, cell, sample = request.id, request.cell, request.sample_id
        return RequestRecord(name, cell, sample, "", None, None, None, None, skipped=skipped, refused=refused)
    return RequestRecord(
        id=request.id,
        cell=request.cell,
        sample_id=request.sample_id,
        document_hash=request.document_hash,
        key=request.key,
        prompt_hash=prompt_hash(request.prompt),
        decoding=request.work if isinstance(request.work, Generate) else None,
        cut=request.cut,
        option_tokens=tuple(len(ids) for ids in request.options),
        demonstrations=request.demonstrations,
        kind=_KINDS[type(request.work)],
    )


def prepare(question: Question, aligned: Span | None = None) -> Request | Skipped:
    """The request of one sample.

    Args:
        question: the sample in its cell.
        aligned: the part of the prompt's text that is cut for all questions of the document.

    Raises:
        UsageError: it cannot be made to fit.
    """
    sample, setting = question.sample, question.cell.setting
    if not sample.document.text:
        return Skipped(question.id, setting.key, sample.id, "empty text")
    fitted = question.fitted(aligned)
    if fitted is None:
        return Skipped(question.id, setting.key, sample.id, "over-length")
    digest = prompt_hash(fitted.ids)
    return Request(
        id=question.id,
        cell=setting.key,
        sample_id=sample.id,
        document_hash=sample.document.hash,
        key=completion_key(question.model.info.model.hash, digest, question.work),
        prompt=fitted.ids,
        work=question.work,
        cut=fitted.cut,
        demonstrations=tuple(shown.id for shown in question.demonstrations),
    )


def _prepared(cell: CellPlan, samples: tuple[Sample, ...], model: PromptSide) -> Iterator[Prepared]:
    questions = [Question(cell, sample, model) for sample in samples]
    aligned = _aligned_cut(questions) if cell.block.share_prefix == "aligned" else None
    for question in questions:
        try:
            yield prepare(question, aligned)
        except UsageError as error:
            yield Refused(question.id, cell.setting.key, question.sample.id, str(error))


def _aligned_cut(questions: list[Question]) -> Span | None:
    """The largest cut that a question of the document needs. All questions use it, so that they share a prefix.

    None if nothing is cut. None also if the texts before the questions differ, because each sample has its own
    demonstrations: they share no prefix then, and a cut of one text would be wrong for another.
    """
    if len({question.before for question in questions}) > 1:
        return None
    cuts = [removed for question in questions if (removed := _removed(question))]
    return max(cuts, key=lambda span: span.end - span.start, default=None)


def _removed(question: Question) -> Span | None:
    """The part that a question's own cut removes; None if it removes nothing or is impossible."""
    try:
        fitted = question.fitted()
    except UsageError:
        return None
    return fitted.removed if fitted else None


def check_question(question: Question) -> None:
    """Refuses a question that can never be asked. This check is cheap: it does not encode the document.

    Raises:
        UsageError: the parts that must be kept exceed the budget, there is no room for a prompt, the limit is unknown,
            or an option has no tokens.
    """
    strategy, budget = question.cell.setting.strategy, question.budget
    if strategy == "official":
        check_official(question)
    else:
        rendered, tokenizer = question.rendered, question.model.tokenizer
        check_frame(rendered.parts, rendered.frame, budget, strategy, tokenizer, question.sample)


def find_question(plan: Plan, model: PromptSide, sample_id: str | None) -> Question:
    """The question with this id, in the plan's first cell. Without an id, the first question.

    Raises:
        UsageError: there is no such sample; the message suggests the nearest id.
    """
    task, seen = plan.tasks[0], list[str]()
    for sample in task.reading.samples():
        if sample_id in (None, sample.id):
            return Question(task.cells[0], sample, model)
        seen.append(sample.id)
    raise UsageError(unknown("sample", str(sample_id), seen))
