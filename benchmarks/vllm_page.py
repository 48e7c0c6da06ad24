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

Our `vllm:` engine against lm-eval's own vLLM class, in real vLLM {vllm} on a CPU: `python -m benchmarks.vllm --json
benchmarks/published_vllm.json --page docs/benchmarks_vllm.md` in the environment of `nox -s vllm`,
with EVALSUITE_DATA set. Measured {date} on {cores} cores
({cpu}), OMP_NUM_THREADS={threads}, load {load:.1f}.

Peer: `{peer}`.

| row | what | peer | ours | unit | ratio | goal | limit_ratio | equal |
|---|---|---|---|---|---|---|---|---|
{table}

A ratio above 1 means ours is better. `limit_ratio` is what we computed against the distinct tokens of all prompts and
options, which nothing can go below; vLLM shares whole blocks of 128 tokens, so the up to 127 behind a document's last
whole block are computed again for every question.

**Options.** lm-eval's class asks for log-probabilities of every prompt token, and vLLM reads nothing from its prefix
cache for such a request. We score the first tokens of all options together as a next token, and the rest of each option
behind the cached document, and accept them only where vLLM says it really computed them. Each pair asks other stories,
so that no cache helps from one pair to the next; the first pair warms up and is not in the medians.

| pair | first | peer (s) | ours (s) | ratio | load |
|---|---|---|---|---|---|
{pairs}

**Generation.** The KV cache holds three mean documents. Wall time on a shared machine says little, so prompt tokens
computed are compared, one run a side. lm-eval sorts requests by length: where documents differ in length this already
puts a document's questions next to each other, and there is little to gain; where they are alike in length, every
document is read many times. Grouping by document never reads more.
"""
