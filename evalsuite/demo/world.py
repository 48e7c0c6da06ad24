"""The miniature world: seeded documents of any length, made of facts to be found and sentences that hide them.

A fact is a key and a name side by side ("the baker Mirona"); each key and each name occurs in at most one fact of a
document. Every pair belongs to one split for good, so training, validation and test never share a fact.
Difficulty is set by length, number of facts and position of the evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from zlib import crc32

from evalsuite.demo import vocabulary as words
from evalsuite.demo.tokenizer import count_tokens

TASKS = ("narrativeqa", "qasper", "quality", "qmsum")
SPLITS = ("train", "validation", "test")
MOST_FACTS = 150
"""In one document; leaves names that it does not mention, for wrong options."""
_SHARES = (6, 8, 10)  # of ten: pairs below the first bound are train, below the second validation, the rest test


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to find: the name that stands right behind a key."""

    # noun, unique in its document
    key: str
    # name, unique in its document
    value: str

    def __str__(self) -> str:
        return f"the {self.key} {self.value}"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, or one turn of a meeting, with the fact it states, if any."""

    text: str
    fact: Fact | None = None
    # who says it, in meetings
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A named run of paragraphs; stories and meetings have a single section without a name."""

    name: str
    paragraphs: tuple[tuple[Sentence, ...], ...]


@dataclass(frozen=True, slots=True)
class WorldDocument:
    """One document of a task, before it is written in the publisher's format."""

    task: str
    split: str
    title: str
    abstract: str
    sections: tuple[Section, ...]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All sentences in reading order."""
        return tuple(s for section in self.sections for paragraph in section.paragraphs for s in paragraph)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts in reading order."""
        return tuple(sentence.fact for sentence in self.sentences if sentence.fact)


@dataclass(frozen=True, slots=True)
class Shape:
    """How hard a document is."""

    # tokens of the rendered document, at most
    tokens: int
    # facts it states (fewer where they do not fit, `MOST_FACTS` at most)
    facts: int
    # where the facts lie: 0 the beginning, 1 the end, None spread evenly at random
    position: float | None = None


def split_of(fact: Fact) -> str:
    """The one split a fact may occur in."""
    draw = crc32(f"{fact.key} {fact.value}".encode()) % 10
    return next(split for split, bound in zip(SPLITS, _SHARES, strict=True) if draw < bound)


def draw_facts(random: Random, split: str, count: int) -> tuple[Fact, ...]:
    """Up to `count` facts of a split, no key and no name twice."""
    names = random.sample(words.NAMES, len(words.NAMES))
    facts = []
    for key in random.sample(words.KEYS, min(count, len(words.KEYS))):
        name = next((name for name in names if split_of(Fact(key, name)) == split), None)
        if name is not None:
            names.remove(name)
            facts.append(Fact(key, name))
    return tuple(facts)


def story_sentence(random: Random, fact: Fact | None) -> Sentence:
    """A sentence of a story or an article."""
    subject = fact or random.choice(words.WEATHER)
    return Sentence(f"{random.choice(words.OPENINGS)} {subject} {random.choice(words.PREDICATES)}.", fact)


def paper_sentence(random: Random, fact: Fact | None) -> Sentence:
    """A sentence of a research paper."""
    subject = fact or random.choice(words.SUBJECTS)
    return Sentence(f"{random.choice(words.STUDIES)} {subject} {random.choice(words.MANNERS)}.", fact)


def turn(random: Random, fact: Fact | None) -> Sentence:
    """One turn of a meeting."""
    subject = fact or random.choice(words.SUBJECTS)
    text = f"{random.choice(words.REMARKS)} {subject} {random.choice(words.PREDICATES)}."
    return Sentence(text, fact, random.choice(words.SPEAKERS))


_WRITERS: dict[str, Callable[[Random, Fact | None], Sentence]] = {
    "narrativeqa": story_sentence,
    "qasper": paper_sentence,
    "quality": story_sentence,
    "qmsum": turn,
}


def make_document(
    random: Random, task: str, split: str, shape: Shape, count: Callable[[str], int] = count_tokens
) -> WorldDocument:
    """One document whose rendered text (`context`) has at most `shape.tokens` tokens, and nearly that many.

    Args:
        random: the generator all choices come from.
        task: one of `TASKS`.
        split: one of `SPLITS`; decides which facts may occur.
        shape: length, number of facts, position of the facts.
        count: tokens of a text without BOS; the world's own tokenizer by default.
    """
    title, abstract, room = "", "", shape.tokens
    if task == "qasper":
        title, abstract = random.choice(words.TITLES), words.ABSTRACT
        room -= count(f"{title}\n\n{abstract}\n\n") + sum(count(f"{name}\n\n") for name in words.SECTIONS)
    sentences = _fill(random, _WRITERS[task], draw_facts(random, split, min(shape.facts, MOST_FACTS)), room, count)
    ordered = _place(random, sentences, shape.position)
    return WorldDocument(task, split, title, abstract, _sections(random, task, ordered))


def _fill(
    random: Random,
    write: Callable[[Random, Fact | None], Sentence],
    facts: Sequence[Fact],
    room: float,
    count: Callable[[str], int],
) -> list[Sentence]:
    sentences: list[Sentence] = []
    for fact in _then_nothing(facts):
        sentence = write(random, fact)
        # a turn begins a line; of other sentences at most every third does
        room -= count(f" {render_turn(sentence)}") + (1 if sentence.speaker else 1 / 3)
        if room < 0:
            return sentences
        sentences.append(sentence)
    return sentences


def _then_nothing(facts: Sequence[Fact]) -> Iterator[Fact | None]:
    yield from facts
    while True:
        yield None


def _place(random: Random, sentences: list[Sentence], position: float | None) -> list[Sentence]:
    """Sentences in reading order: the facts anywhere, or together at one place."""
    if position is None:
        return random.sample(sentences, len(sentences))
    stated = [sentence for sentence in sentences if sentence.fact]
    plain = [sentence for sentence in sentences if not sentence.fact]
    at = round(position * len(plain))
    return [*plain[:at], *stated, *plain[at:]]


def _sections(random: Random, task: str, sentences: list[Sentence]) -> tuple[Section, ...]:
    if task == "qmsum":
        return (Section("", tuple((sentence,) for sentence in sentences)),)
    paragraphs = _paragraphs(random, sentences)
    if task != "qasper":
        return (Section("", paragraphs),)
    per_section = -(-len(paragraphs) // len(words.SECTIONS)) or 1
    starts = range(0, len(paragraphs), per_section)
    names = words.SECTIONS[: len(starts)]
    return tuple(Section(name, paragraphs[at : at + per_section]) for name, at in zip(names, starts, strict=True))


def _paragraphs(random: Random, sentences: list[Sentence]) -> tuple[tuple[Sentence, ...], ...]:
    paragraphs, at = [], 0
    while at < len(sentences):
        size = random.randint(3, 6)
        paragraphs.append(tuple(sentences[at : at + size]))
        at += size
    return tuple(paragraphs)


def render_paragraph(paragraph: Sequence[Sentence]) -> str:
    """The text of a paragraph."""
    return " ".join(sentence.text for sentence in paragraph)


def render_turn(sentence: Sentence) -> str:
    """The line of a meeting, or the bare sentence."""
    return f"{sentence.speaker}: {sentence.text}" if sentence.speaker else sentence.text


def context(document: WorldDocument) -> str:
    """The document as the task's prompt shows it."""
    if document.task == "qmsum":
        return "\n".join(render_turn(sentence) for sentence in document.sentences)
    bodies = ("\n".join(map(render_paragraph, section.paragraphs)) for section in document.sections)
    if document.task != "qasper":
        return "\n".join(bodies)
    named = (f"{section.name}\n{body}" for section, body in zip(document.sections, bodies, strict=True))
    return f"{document.title}\n\n{document.abstract}\n\n" + "\n\n".join(named)
