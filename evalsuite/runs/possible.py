"""Which cells of a plan the model can be asked: all that cannot are told at once, before the first is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from evalsuite.errors import ImpossibleError, UsageError
from evalsuite.protocols import PromptSide
from evalsuite.runs.plan import CellPlan, Plan, TaskPlan
from evalsuite.runs.requests import Question, check_question


def askable(plan: Plan, model: PromptSide) -> Plan:
    """The plan, without the cells that can never be asked where the run may go on without them.

    Args:
        plan: what is to be asked; given back as it is when it was checked before.
        model: says budgets and tokens.

    Raises:
        UsageError: a frame alone exceeds its budget, a prompt is too long under ``error``, or an official rule sends
            one over its limit; every such cell is named.
    """
    if plan.checked:
        return plan
    faults = {cell.setting.key: fault for cell, fault in _faults(plan, model)}
    problems = tuple(dict.fromkeys(faults.values()))
    left = tuple(task for task in (_without(task, faults) for task in plan.tasks) if task.cells)
    if problems and not (plan.spec.skip_impossible and left):
        raise UsageError(problems[0]) if len(problems) == 1 else ImpossibleError(problems)
    notices = tuple(f"left out, it cannot be asked: {problem}" for problem in problems)
    return replace(plan, tasks=left, notices=(*plan.notices, *notices), checked=True)


def _without(task: TaskPlan, faults: dict[str, str]) -> TaskPlan:
    return replace(task, cells=tuple(cell for cell in task.cells if cell.setting.key not in faults))


def _faults(plan: Plan, model: PromptSide) -> Iterator[tuple[CellPlan, str]]:
    """Cells with a sample that cannot be asked, and what the first such sample says."""
    several = {cell.task.name for task in plan.tasks for cell in task.cells if len(task.cells) > 1}
    for task in plan.tasks:
        for cell in task.cells:
            fault = _fault(plan, task, cell, model)
            if fault is not None:
                name = f" ({_asked(cell)})" if cell.task.name in several else ""
                task_name = f"task {cell.task.name}"
                yield cell, f"{fault}{name}" if fault.startswith(task_name) else f"{task_name}: {fault}{name}"


def _fault(plan: Plan, task: TaskPlan, cell: CellPlan, model: PromptSide) -> str | None:
    for sample in task.samples:
        try:
            check_question(Question(plan, cell, sample, model))
        except UsageError as error:
            return str(error)
    return None


def _asked(cell: CellPlan) -> str:
    setting = cell.setting
    size = "" if setting.length is None else f", length {setting.length}"
    return f"{setting.shots}-shot, cap {setting.max_prompt_tokens or 'model'}{size}"
