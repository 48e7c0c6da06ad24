"""Questions about documents of the miniature world, with references, options and the facts that are their evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

from evalsuite.demo import vocabulary as words
from evalsuite.demo.world import Fact, WorldDocument, draw_facts


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one document."""

    # as the prompt asks it, options included where the task has some
    prompt: str
    # what a right answer says
    answer: str
    # the bare question
    text: str
    # facts of the document the answer rests on; none where the document does not say
    evidence: tuple[Fact, ...]
    # the four options of a multiple-choice question, else none
    options: tuple[str, ...] = ()
    # extractive, boolean, unanswerable, choice, summary, overview
    kind: str = "extractive"


def name_question(key: str) -> str:
    """Ask for the name behind a key; the key comes last, close to where the answer begins."""
    return f"Who is the {key}?" if key in words.PEOPLE else f"What is the name of the {key}?"


def ask_name(fact: Fact) -> Question:
    """The plain question of all tasks."""
    text = name_question(fact.key)
    return Question(text, fact.value, text, (fact,))


def ask_missing(random: Random, document: WorldDocument) -> Question:
    """A question whose key the document never mentions."""
    text = name_question(_missing(random, document).key)
    return Question(text, words.UNANSWERABLE, text, (), kind="unanswerable")


def ask_mention(random: Random, document: WorldDocument, fact: Fact) -> Question:
    """A yes/no question: is there such a key at all."""
    there = random.random() < 0.5  # noqa: PLR2004 - as many yes as no
    key = fact.key if there else _missing(random, document).key
    text = f"Do the authors mention the {key}?"
    return Question(text, words.YES if there else words.NO, text, (fact,) if there else (), kind="boolean")


def ask_choice(random: Random, document: WorldDocument, fact: Fact, gold: int) -> Question:
    """Four names, one more of which the document mentions; the right one is number `gold`, from 0."""
    others = [other.value for other in document.facts if other.value != fact.value]
    strangers = [name for name in words.NAMES if name != fact.value and name not in others]
    options = [random.choice(others), *random.sample(strangers, len(words.LETTERS) - 2)]
    random.shuffle(options)
    options.insert(gold, fact.value)
    text = name_question(fact.key)
    lettered = " ".join(f"({letter}) {option}" for letter, option in zip(words.LETTERS, options, strict=True))
    return Question(f"{text} {lettered}", words.LETTERS[gold], text, (fact,), tuple(options), "choice")


def ask_summary(first: Fact, second: Fact) -> Question:
    """A query about two things, answered by a reference summary made of their facts."""
    text = f"What was said about the {first.key} and the {second.key}?"
    return Question(text, f"They discussed {first} and {second}.", text, (first, second), kind="summary")


def ask_overview(document: WorldDocument) -> Question:
    """The general query: a summary of the first two facts of the meeting."""
    first, second = document.facts[:2]
    text = "Summarize the meeting."
    return Question(text, f"They discussed {first} and {second}.", text, (first, second), kind="overview")


def ask(random: Random, document: WorldDocument, fact: Fact) -> Question:
    """A question of the document's task, resting on one fact (and, in meetings, on another)."""
    if document.task == "quality":
        return ask_choice(random, document, fact, random.randrange(len(words.LETTERS)))
    if document.task == "qmsum":
        return ask_summary(fact, random.choice([other for other in document.facts if other != fact]))
    if document.task == "narrativeqa":
        return ask_name(fact)
    kind = random.choices(("name", "mention", "missing"), (80, 10, 10))[0]
    if kind == "name":
        return ask_name(fact)
    return ask_mention(random, document, fact) if kind == "mention" else ask_missing(random, document)


def ask_all(random: Random, document: WorldDocument, count: int, first: int = 0) -> tuple[Question, ...]:
    """Up to `count` questions as the benchmark asks them: a fact at most once, right options in turn from `first`."""
    return tuple(islice(_all(random, document, first), count))


def _all(random: Random, document: WorldDocument, first: int) -> Iterator[Question]:
    if document.task == "qmsum":
        yield ask_overview(document)
    for index, fact in enumerate(random.sample(document.facts, len(document.facts))):
        if document.task == "quality":
            yield ask_choice(random, document, fact, (first + index) % len(words.LETTERS))
        else:
            yield ask(random, document, fact)


def _missing(random: Random, document: WorldDocument) -> Fact:
    known = {fact.key for fact in document.facts}
    return next(fact for fact in draw_facts(random, document.split, len(words.KEYS)) if fact.key not in known)
