"""From a plan to requests of exact token ids, one document's group after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from evalsuite.errors import UsageError, unknown
from evalsuite.prompts.fit import (
    Budget,
    Fitted,
    check_frame,
    evidence_fate_of,
    fit,
    prompt_budget,
    region,
)
from evalsuite.prompts.render import Rendered, option_ids, render
from evalsuite.prompts.shots import demonstration_parts, draw
from evalsuite.protocols import OfficialCut, OfficialCutInput, PromptSide
from evalsuite.records import RequestRecord
from evalsuite.runs.identity import completion_key, prompt_hash
from evalsuite.runs.plan import CellPlan, Plan, TaskPlan
from evalsuite.types import Cut, Request, Sample, Skipped, Span
from evalsuite.work import Choose, Generate, Loss, Work

_KINDS: Mapping[type[Work], Literal["generate", "choose", "loss"]] = {
    Generate: "generate",
    Choose: "choose",
    Loss: "loss",
}


@dataclass(frozen=True)
class Question:
    """One sample in one cell, before it is made exact."""

    plan: Plan
    cell: CellPlan
    sample: Sample
    model: PromptSide

    @cached_property
    def demonstrations(self) -> tuple[Sample, ...]:
        """The samples shown before it."""
        return draw(self.cell.shots, self.cell.task.name, self.cell.pool, self.sample)

    @cached_property
    def rendered(self) -> Rendered:
        """Its parts and frame."""
        shown = demonstration_parts(self.cell.protocol, self.demonstrations, self.cell.shots)
        spec, tokenizer = self.plan.spec, self.model.tokenizer
        chat, date = spec.chat_template, spec.template_date
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
        """Room kept for the answer."""
        if self.options:
            return max(len(ids) for ids in self.options)
        return self.plan.spec.max_new_tokens or self.cell.protocol.max_new_tokens

    @cached_property
    def work(self) -> Work:
        """What the model is asked to do."""
        if self.options:
            return Choose(self.options)
        return Generate(self.answer_tokens, self.cell.protocol.stop)

    @cached_property
    def budget(self) -> Budget:
        """Most tokens of its prompt."""
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
        """The prompt's own text up to where a cut must end."""
        end = region(self.rendered.parts, self.cell.setting.strategy).end
        return "".join(part.text for part in self.rendered.parts)[:end]

    def fitted(self, aligned: Span | None = None) -> Fitted | None:
        """Its prompt within the budget; None when it is skipped for its length.

        Args:
            aligned: a stretch of the prompt's text to cut that was chosen for all questions of the document.
        """
        if self.cell.setting.strategy == "official":
            return official(self)
        rendered, strategy = self.rendered, self.cell.setting.strategy
        tokenizer, sample = self.model.tokenizer, self.sample
        return fit(rendered.parts, rendered.frame, self.budget, strategy, tokenizer, sample, aligned=aligned)


def groups(plan: Plan, model: PromptSide) -> Iterator[tuple[Request | Skipped, ...]]:
    """All requests, those of one document together, made when they are asked for."""
    for task in plan.tasks:
        for samples in task.documents():
            yield tuple(_group(plan, task, samples, model))


def request_record(request: Request | Skipped) -> RequestRecord:
    """The line that stores a request."""
    if isinstance(request, Skipped):
        return RequestRecord(
            request.id, request.cell, request.sample_id, "", None, None, None, None, skipped=request.reason
        )
    return RequestRecord(
        id=request.id,
        cell=request.cell,
        sample_id=request.sample_id,
        document=request.document,
        key=request.key,
        prompt_hash=prompt_hash(request.prompt),
        decoding=request.work if isinstance(request.work, Generate) else None,
        cut=request.cut,
        option_tokens=tuple(len(ids) for ids in request.options),
        demonstrations=request.demonstrations,
        kind=_KINDS[type(request.work)],
    )


def prepare(question: Question, aligned: Span | None = None) -> Request | Skipped:
    """One sample made exact.

    Args:
        question: the sample in its cell.
        aligned: a stretch of the prompt's text to cut that was chosen for all questions of the document.

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
        document=sample.document.hash,
        key=completion_key(question.model.info.model.hash, digest, question.work),
        prompt=fitted.ids,
        work=question.work,
        cut=fitted.cut,
        demonstrations=tuple(shown.id for shown in question.demonstrations),
    )


def _group(plan: Plan, task: TaskPlan, samples: tuple[Sample, ...], model: PromptSide) -> Iterator[Request | Skipped]:
    for cell in task.cells:
        questions = [Question(plan, cell, sample, model) for sample in samples]
        aligned = _aligned_cut(questions) if plan.spec.share_prefix == "aligned" else None
        yield from (prepare(question, aligned) for question in questions)


def _aligned_cut(questions: list[Question]) -> Span | None:
    """The widest cut any question of the document needs, taken for all of them so that they share a prefix.

    None where nothing is cut, or where the questions' texts differ before their end (demonstrations drawn for each
    sample): there is no prefix to share, and one question's cut would fall elsewhere in another's text.
    """
    if len({question.before for question in questions}) > 1:
        return None
    cuts = [fitted.removed for question in questions if (fitted := question.fitted()) and fitted.removed]
    return max(cuts, key=lambda span: span.end - span.start, default=None)


def check_question(question: Question) -> None:
    """Refuses a question that can never be asked, as far as that is cheap to know.

    Raises:
        UsageError: what must survive a cut exceeds the budget, the prompt is too long under ``error``, an official rule
            sends it over its limit, or an option has no tokens.
    """
    if not question.sample.document.text:
        return
    rendered = question.rendered
    if question.cell.setting.strategy in ("official", "error"):
        question.fitted()
    else:
        check_frame(
            rendered.parts,
            rendered.frame,
            question.budget,
            question.cell.setting.strategy,
            question.model.tokenizer,
            question.sample,
        )


def find_question(plan: Plan, model: PromptSide, sample_id: str | None) -> Question:
    """The question of that id in the plan's first cell; the first one when no id is given.

    Raises:
        UsageError: no such sample, answered with the nearest.
    """
    task = plan.tasks[0]
    for sample in task.samples:
        if sample_id in (None, sample.id):
            return Question(plan, task.cells[0], sample, model)
    raise UsageError(unknown("sample", str(sample_id), (sample.id for sample in task.samples)))


def official(question: Question) -> Fitted:
    """The prompt as the benchmark's own rule makes it.

    Raises:
        UsageError: the rule sends more than its limit (the official code lets that pass), or the model cannot take it.
    """
    cell, model, sample = question.cell, question.model, question.sample
    if question.plan.spec.chat_template:
        raise UsageError(f"task {cell.task.name}: the official rule brings its own frame; leave --chat-template out")
    if cell.protocol.cut is None:
        raise UsageError(f"task {cell.task.name}, protocol {cell.protocol.name}: there is no official cut")
    limit = _official_limit(question)
    parts = question.rendered.parts
    made = cell.protocol.cut(OfficialCutInput(sample, parts, limit, question.answer_tokens, model.tokenizer))
    budget = _official_budget(question, made)
    fits_model = model.info.max_model_len is None or len(made.ids) + question.answer_tokens <= model.info.max_model_len
    if made.over_limit or not fits_model:
        raise UsageError(
            f"sample {sample.id}: the official rule sends {len(made.ids)} tokens where {budget.tokens} may be sent "
            f"(the official code lets that pass, a run does not); raise the cap or choose another --strategy"
        )
    fate = evidence_fate_of(sample, made.kept) if made.removed else evidence_fate_of(sample, None)
    cut = Cut(
        strategy="official",
        side=made.side if made.removed else None,
        budget=budget.tokens,
        bound=budget.bound,
        tokens_before=made.tokens_before,
        tokens_kept=len(made.ids),
        removed=made.removed,
        evidence=fate,
        official=True,
        note=made.note,
    )
    return Fitted(made.ids, cut, "", None)


def _official_budget(question: Question, made: OfficialCut) -> Budget:
    """The prompt's budget under an official rule, which may reserve the answer's room elsewhere."""
    budget, model_max = question.budget, question.model.info.max_model_len
    if made.prompt_limit is None:
        return budget
    allowed = Budget(made.prompt_limit, budget.bound)
    room = allowed if model_max is None else Budget(model_max - question.answer_tokens, "model")
    return min(allowed, room, key=lambda bound: bound.tokens)


def _official_limit(question: Question) -> int:
    model_max = question.model.info.max_model_len
    if model_max is not None and not question.cell.protocol.limit_includes_generation:
        model_max -= question.answer_tokens
    limits = [limit for limit in (model_max, question.cell.setting.max_prompt_tokens) if limit is not None]
    if not limits:
        raise UsageError("the model's maximum length is unknown: say --max-model-len N or --max-prompt-tokens N")
    return min(limits)
