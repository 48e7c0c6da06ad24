"""Documents and questions of QMSum's and QuALITY's sizes, made up, in the publishers' own formats."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

MEETINGS, MEETING_CHARACTERS, QUERIES = 8, 44_000, 6
ARTICLES, ARTICLE_CHARACTERS = 8, 24_000
QUESTIONS = (3, 2, 2, 3, 2, 3, 2, 2)
"""Of each article; with the meetings' queries 67, as in the first eight real documents of each."""
SHOWN = 4
"""Meetings to draw demonstrations from."""
_CONSONANTS = (*"bcdfghjklmnprstvwz", "st", "tr", "ch")
_VOWELS = (*"aeiou", "ai", "ea", "ou")


def stand_ins(folder: Path) -> Path:
    """Writes ``qmsum/`` and ``quality/`` below a folder, the same at every call."""
    drawn = random.Random(0)  # noqa: S311  # made-up text, no secret
    words = ["the", "of", "and", "to", "a", "in", "was", "he", *(_word(drawn) for _ in range(3000))]
    for name, count in (("train", SHOWN), ("val", MEETINGS)):
        _write(folder / "qmsum" / f"{name}.jsonl", (_meeting(drawn, words) for _ in range(count)))
    articles = [_article(drawn, words, number, asked) for number, asked in enumerate(QUESTIONS[:ARTICLES])]
    _write(folder / "quality" / "dev.jsonl", articles)
    return folder


def short_ones(folder: Path, samples: int) -> Path:
    """Writes ``qmsum/`` with so many queries of short meetings, twenty each."""
    drawn = random.Random(0)  # noqa: S311  # made-up text, no secret
    words = [_word(drawn) for _ in range(2000)]
    _write(folder / "qmsum" / "val.jsonl", (_meeting(drawn, words, 800, 20) for _ in range(samples // 20)))
    return folder


def _write(path: Path, rows: Iterator[dict[str, Any]] | Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def _meeting(
    drawn: random.Random, words: Sequence[str], characters: int = MEETING_CHARACTERS, queries: int = QUERIES
) -> dict[str, Any]:
    turns: list[dict[str, str]] = []
    while characters > 0:
        turns.append({"speaker": f"Speaker {drawn.randrange(5)}", "content": _sentences(drawn, words, 3)})
        characters -= len(turns[-1]["content"]) + 12
    asked = [
        {
            "query": _sentences(drawn, words, 1),
            "answer": _sentences(drawn, words, 2),
            "relevant_text_span": [["0", "0"]],
        }
        for _ in range(queries)
    ]
    return {"meeting_transcripts": turns, "general_query_list": [], "specific_query_list": asked}


def _article(drawn: random.Random, words: Sequence[str], number: int, asked: int) -> dict[str, Any]:
    text = ""
    while len(text) < ARTICLE_CHARACTERS:
        text += _sentences(drawn, words, 5) + "\n\n"
    questions = [
        {
            "question": _sentences(drawn, words, 1),
            "options": [_sentences(drawn, words, 1) for _ in range(4)],
            "gold_label": 1 + place,
            "question_unique_id": f"{number}-{place}",
        }
        for place in range(asked - 1)
    ]
    last = {**questions[0], "gold_label": 4, "question_unique_id": f"{number}-last"}
    return {"article_id": str(number), "article": text, "questions": [*questions, last]}


def _sentences(drawn: random.Random, words: Sequence[str], count: int) -> str:
    made = (" ".join(drawn.choices(words, k=drawn.randint(6, 18))) for _ in range(count))
    return " ".join(sentence.capitalize() + drawn.choice("..?,") for sentence in made)


def _word(drawn: random.Random) -> str:
    return "".join(drawn.choice(_CONSONANTS) + drawn.choice(_VOWELS) for _ in range(drawn.randint(1, 4)))
