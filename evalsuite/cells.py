"""The cells of a table: the options that name a cell, and its value with everything needed to trust it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """The options that name one cell, without the model and the metric."""

    suite: str
    task: str
    split: str
    protocol: str
    shots: int
    seed: int
    max_prompt_tokens: int | None
    """The cap; None if only the model's maximum limits the prompt."""
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
    """One value of a table, with everything needed to trust it. Cuts are counted over answered samples only."""

    model: str
    metric: str
    primary: bool
    value: float | None
    """0 to 100; None while the cell is incomplete, unless ``--allow-incomplete`` was given."""
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
    """Samples that lost evidence, in whole or in part; None if the data marks no evidence."""
    complete: bool
    demonstrations_lost: int | None = None
    """Samples that lost demonstrations, in whole or in part; None with 0 shots."""
    kept: float | None = None
    """Mean share of the prompts' tokens that were sent, 0 to 1."""
    output_capped: int | None = None
    """Answers that stopped at the output limit; None in cells that an older version scored."""
    value_completed: float | None = None
    """The value over the answers that the model ended by itself; None if there are none, or if it is unknown."""
    repeats: int = 1
    higher_is_better: bool = True
