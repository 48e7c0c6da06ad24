"""The table: the axes of a cell, and a cell with everything needed to believe its value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """The axes of one table cell, before the model and the metric."""

    suite: str
    task: str
    split: str
    protocol: str
    shots: int
    seed: int
    max_prompt_tokens: int | None
    """The cap asked for; None when only the model's maximum bounds the prompt."""
    length: int | None
    strategy: str

    @property
    def key(self) -> str:
        """A readable name, unique in a run."""
        cap = "model" if self.max_prompt_tokens is None else str(self.max_prompt_tokens)
        size = "" if self.length is None else f"/length-{self.length}"
        asked = f"{self.shots}-shot/seed-{self.seed}/cap-{cap}{size}"
        return f"{self.task}/{self.split}/{self.protocol}/{asked}/{self.strategy}"


@dataclass(frozen=True, slots=True)
class Cell(Setting):
    """One value of a table, with everything needed to believe it. Cuts are counted over answered samples alone."""

    model: str
    metric: str
    primary: bool
    value: float | None
    """0 to 100; None while the cell is incomplete (unless incomplete values were asked for)."""
    stderr: float | None
    """Standard error clustered by document; None with fewer than two documents."""
    asked: int
    scored: int
    skipped: int
    unscorable: int
    failed: int
    documents: int
    cut: int
    evidence_lost: int | None
    """Lost in part counts as lost. None where there was nothing to lose: no evidence marked, or no shots."""
    complete: bool
    demonstrations_lost: int | None = None
    kept: float | None = None
    output_capped: int | None = None
    """Answers that ended at the output limit. None only in cells scored before this was counted."""
    value_completed: float | None = None
    """The value over the answers that ended by themselves; None where there is none or it cannot be told."""
    repeats: int = 1
    higher_is_better: bool = True
