"""The model cards that lie beside the two checkpoints."""

from __future__ import annotations

from pathlib import Path

_CARD = """\
---
license: apache-2.0
library_name: transformers
---

# {name}

A Llama of 3 layers, width 128 and 0.8 million parameters that reads one thing only: evalsuite's miniature world, whose
documents state facts such as "the baker Mirona" and whose questions ask for the name behind a noun. It exists so that
`evalsuite demo` and the tests have a model with behaviour; it knows nothing else.

| | |
| --- | --- |
| training length | {length} |
| RoPE base | {base} |
| declared positions | 4,096 |
| tokenizer | byte-level BPE, under 1,000 entries, each word of the world one token, BOS in front |
| prompts | `{{CONTEXT}} Q: {{QUESTION}}, A:`, 0 to 2 demonstrations; key-value; pass key, first sentence in part |

{story}

## Figures

Held-out documents (test split: none of their facts occurs in training), greedy answers, no demonstrations, nothing cut.
Mean ± standard deviation over {seeds} data seeds of {documents} documents with {questions} questions each. Columns are
lengths in tokens. F1 for narrativeqa and qasper, accuracy for quality, ROUGE geometric mean for qmsum.

{table}

Measured by `python -m evalsuite.demo.measure DIR`. `python -m evalsuite.demo.train --out DIR` (seed 0) is the recipe.
{made}
"""

_STORIES = {
    "short": (
        "up to 512 tokens",
        "10,000",
        """\
The short-context model. Its config claims 4,096 positions so that it can be *asked* at lengths it never learned; beyond
512 tokens it breaks.""",
    ),
    "long": (
        "up to 4,096 tokens, continued from `short`",
        "500,000",
        """\
The long-context model: `short`, trained further on longer rows with a higher RoPE base, which is the recipe of Llama 2
Long (arXiv:2309.16039) in miniature.""",
    ),
}


def write_card(folder: Path, table: str, *, seeds: int, documents: int, questions: int, made: str = "") -> None:
    """Write README.md beside checkpoint `short` or `long`.

    Args:
        folder: the checkpoint; its name says which of the two it is.
        table: its figures in Markdown.
        seeds: over how many data seeds they are means.
        documents: documents of a task and length in each.
        questions: questions about each.
        made: how these weights came about, where that is not the recipe run once from start to end.
    """
    length, base, story = _STORIES[folder.name]
    made = f"{made}\n" if made else ""
    card = _CARD.format(
        name=folder.name,
        length=length,
        base=base,
        story=story,
        table=table,
        seeds=seeds,
        documents=documents,
        questions=questions,
        made=made,
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
