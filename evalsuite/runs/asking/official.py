"""Prompts that are cut by a benchmark's own rule, and the checks of such a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.errors import UsageError
from evalsuite.interfaces import CutRule, OfficialCut, OfficialCutInput
from evalsuite.prompts.fit import Budget, Fitted, evidence_fate_of
from evalsuite.types import Cut

if TYPE_CHECKING:
    from evalsuite.runs.asking.requests import Question


def official(question: Question) -> Fitted:
    """The prompt, cut by the benchmark's own rule.

    Raises:
        UsageError: the prompt still exceeds the limit (the official code would send it), or the model's maximum.
    """
    model, sample = question.model, question.sample
    rule, limit = check_official(question)
    parts = question.rendered.parts
    made = rule(OfficialCutInput(sample, parts, limit, question.answer_tokens, model.tokenizer))
    budget = _official_budget(question, made)
    fits_model = model.info.max_model_len is None or len(made.ids) + question.answer_tokens <= model.info.max_model_len
    if made.over_limit or not fits_model:
        raise UsageError(
            f"sample {sample.id}: after the official cut the prompt has {len(made.ids)} tokens, but the limit is "
            f"{budget.tokens} (the official code would send it); raise the cap or choose another --strategy"
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


def check_official(question: Question) -> tuple[CutRule, int]:
    """The official rule and its limit.

    Raises:
        UsageError: there is none, or a chat template was asked for: the rule has its own frame.
    """
    cell = question.cell
    if cell.block.chat_template:
        raise UsageError(f"task {cell.task.name}: the official rule brings its own frame; leave --chat-template out")
    if cell.protocol.cut is None:
        raise UsageError(f"task {cell.task.name}, protocol {cell.protocol.name}: there is no official cut")
    return cell.protocol.cut, _official_limit(question)


def _official_budget(question: Question, made: OfficialCut) -> Budget:
    """The budget of the prompt for an official rule. The rule may have its own limit for a prompt."""
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
