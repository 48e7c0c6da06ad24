"""How an answer to a multiple-choice question is asked for, read and scored."""

from __future__ import annotations

import re
from dataclasses import replace
from string import ascii_uppercase

from evalsuite.metrics.normalise import normalise
from evalsuite.metrics.scrolls import exact_match
from evalsuite.types import Completion, Sample, ScoredAnswer


def asked(sample: Sample) -> str:
    """The question and its options: ``{question} (A) {option} (B) {option} ...``."""
    options = (f"({letter}) {option}" for letter, option in zip(ascii_uppercase, sample.choices, strict=False))
    return " ".join((sample.question, *options))


def asked_in_lines(sample: Sample) -> str:
    """The question and its options, one a line, as SCROLLS writes them."""
    options = (f" ({letter}) {option}" for letter, option in zip(ascii_uppercase, sample.choices, strict=False))
    return "\n".join((f"{sample.question}\n", *options))


def letters(sample: Sample) -> tuple[str, ...]:
    """The letters of the options."""
    return tuple(ascii_uppercase[: len(sample.choices)])


def gold_letter(sample: Sample) -> str:
    """The letter of the right option."""
    return ascii_uppercase[_gold(sample)]


def chosen(text: str, sample: Sample) -> int | None:
    """The option an answer names: by its words when it begins with them, else by the first letter that stands alone.

    An ``A`` before a lower-case word is the article, not the option. None when no option is named.
    """
    said = normalise(text)
    named = [index for index, option in enumerate(sample.choices) if _begins(said, normalise(option))]
    if named:
        return max(named, key=lambda index: len(sample.choices[index]))
    last = ascii_uppercase[len(sample.choices) - 1]
    found = re.search(rf"\b(?:[B-{last}]|A(?!\s+[a-z]))\b", text)
    return ascii_uppercase.index(found[0]) if found else None


def score(sample: Sample, completion: Completion) -> ScoredAnswer:
    """Accuracy of the option named, and exact match: nothing but the letter or the option's words."""
    text = completion.text.strip()
    choice = chosen(text, sample)
    letter = text.strip("().: ") == gold_letter(sample)
    exact = 100.0 if letter else exact_match(text, sample.references)
    values = {"accuracy": 100.0 * (choice == sample.gold), "exact_match": exact}
    return ScoredAnswer(values, text if choice is None else ascii_uppercase[choice], scorable=choice is not None)


def score_words(sample: Sample, completion: Completion) -> ScoredAnswer:
    """As SCROLLS scores: exact match of the right option's words after normalisation; and accuracy of the option."""
    scored = score(sample, completion)
    exact = exact_match(completion.text.strip(), sample.references)
    return replace(scored, values={**scored.values, "exact_match": exact})


def score_letters(sample: Sample, completion: Completion) -> ScoredAnswer:
    """The letter the model finds most probable."""
    return _compared(sample, [option.logprob for option in completion.options])


def score_texts(sample: Sample, completion: Completion) -> ScoredAnswer:
    """The option whose words are most probable by character, so that short options are not favoured."""
    scored = zip(completion.options, sample.choices, strict=True)
    return _compared(sample, [option.logprob / max(len(words), 1) for option, words in scored])


def _compared(sample: Sample, values: list[float]) -> ScoredAnswer:
    choice = max(range(len(values)), key=values.__getitem__)
    right = 100.0 * (choice == sample.gold)
    return ScoredAnswer({"accuracy": right, "exact_match": right}, ascii_uppercase[choice])


def _begins(said: str, option: str) -> bool:
    return bool(option) and (said == option or said.startswith(f"{option} "))


def _gold(sample: Sample) -> int:
    if sample.gold is None:
        raise ValueError(f"sample {sample.id} has no right option")
    return sample.gold
