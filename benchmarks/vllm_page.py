"""The page of the vLLM benchmark."""

from __future__ import annotations

from typing import Any

from benchmarks.page import number


def page(content: dict[str, Any]) -> str:
    """The page of one benchmark's JSON."""
    rows = content["rows"]
    options = next(row for row in rows if row["pairs"])
    table = "\n".join(
        f"| {row['name']} | {row['what']} | {number(row['peer'])} | {number(row['ours'])} | {row['unit']} "
        f"| {row['ratio']:.2f} | {row['goal']} | {row['limit_ratio']:.2f} | {'yes' if row['equal'] else 'NO'} |"
        for row in rows
    )
    pairs = "\n".join(
        f"| {place} | {pair['first']} | {pair['peer']:.2f} | {pair['ours']:.2f} | {pair['peer'] / pair['ours']:.1f} "
        f"| {pair['load']:.1f} |"
        for place, pair in enumerate(options["pairs"])
    )
    return PAGE.format(table=table, pairs=pairs, peer=rows[0]["peer_config"], **content["machine"])


PAGE = """# Benchmarks: vLLM

This page compares the `vllm:` engine of evalsuite with lm-eval's own vLLM class. Both use vLLM {vllm} on a CPU.
The page was made with `python -m benchmarks.vllm --json benchmarks/published_vllm.json --page
docs/benchmarks_vllm.md`, in the environment of `nox -s vllm`, with EVALSUITE_DATA set. Measured {date} on {cores} cores
({cpu}), OMP_NUM_THREADS={threads}, load {load:.1f}.

Peer: `{peer}`.

| row | what | peer | ours | unit | ratio | goal | limit_ratio | equal |
|---|---|---|---|---|---|---|---|---|
{table}

- `ratio`: the peer's figure divided by ours. Above 1, evalsuite is better.
- `limit_ratio`: the tokens that evalsuite computed, divided by the distinct tokens of all prompts and options. 1 is
  the lowest possible value. vLLM shares only whole blocks of 128 tokens. The last tokens of a document, up to 127, do
  not fill a block. They are computed again for every question.

**Options.** lm-eval's class asks for the log-probabilities of every prompt token. For such a request, vLLM reads
nothing from its prefix cache. evalsuite scores the first tokens of all options with one prediction of the next token.
It scores the rest of each option after the cached document. It uses only log-probabilities of positions that vLLM
reports as computed. Each pair asks about other stories, so no pair uses the cache of another. The first pair is a
warm-up and is not in the medians.

| pair | first | peer (s) | ours (s) | ratio | load |
|---|---|---|---|---|---|
{pairs}

**Generation.** The KV cache has room for three documents of mean length. Wall time says little on a shared machine,
so the page compares the number of computed prompt tokens, with one run for each side. lm-eval sorts requests by
length. If documents have different lengths, the questions of a document are then neighbours anyway, and there is
little to gain. If documents have similar lengths, lm-eval computes every document many times. Grouping by document
never computes more.
"""
