"""The training mix: rows of text in which the answers are to be learnt.

Most rows are a document of one of the four tasks with many questions right behind it: a document read once teaches
dozens of look-ups, which is what lets so small a model find the rule at all. Some rows begin with demonstrations,
and a few are pass-key, first-sentence and key-value prompts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from evalsuite.demo import vocabulary as words
from evalsuite.demo.questions import Question, ask, ask_overview
from evalsuite.demo.tokenizer import count_tokens
from evalsuite.demo.world import Shape, WorldDocument, context, draw_facts, make_document, story_sentence

KINDS = (
    "extractive",
    "boolean",
    "unanswerable",
    "choice",
    "summary",
    "overview",
    "pass key",
    "first sentence",
    "key-value",
    "recital",
    "echo",
)
PLACEHOLDER = "..."
_TOKENS_A_SENTENCE = 11
# a document of every task that is long enough for two facts
_LEAST = 75


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a row."""

    text: str
    # the kind of answer it is, of `KINDS`; empty where nothing is to be learnt
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the rows of a stage are like."""

    # tokens of a row, BOS included
    tokens: int
    # share of the row that the document fills: least and most
    fill: tuple[float, float]
    # share of the sentences that state a fact: least and most
    density: tuple[float, float]
    # weight of each kind of row: a task, or a probe
    rows: tuple[tuple[str, float], ...]
    # share of rows that begin with demonstrations
    shots: float
    # options are answered with their letter; else with their words, which so small a model learns far sooner
    letters: bool = False


def make_row(random: Random, recipe: Recipe) -> list[Stretch]:
    """One row of at most `recipe.tokens` tokens."""
    kinds, weights = zip(*recipe.rows, strict=True)
    kind = random.choices(kinds, weights)[0]
    tokens = round((recipe.tokens - 40) * random.uniform(*recipe.fill))
    if kind in _DRILLS:
        return _DRILLS[kind](random, recipe)
    if kind in _PROBES:
        return _PROBES[kind](random, recipe.tokens, tokens)
    front = (
        list(_demonstrations(random, kind, tokens, letters=recipe.letters)) if random.random() < recipe.shots else []
    )
    tokens -= sum(count_tokens(stretch.text) for stretch in front)
    document = _document(random, kind, max(tokens, _LEAST), recipe.density)
    head = [*front, Stretch(context(document))]
    room = recipe.tokens - 1 - sum(count_tokens(stretch.text) for stretch in head)
    return head + _exchanges(random, document, room, letters=recipe.letters)


def _echo(random: Random, recipe: Recipe) -> list[Stretch]:
    """Words in any order, then the same again: teaches to look for the word before, then for what followed it."""
    count = random.randint(6, recipe.tokens // 2 - 1)
    said = "".join(f" {word}" for word in random.choices(words.KEYS + words.NAMES, k=count))
    return [Stretch(said), Stretch(said, "echo")]


def _recital(random: Random, recipe: Recipe) -> list[Stretch]:
    """A story, then all its facts once more in another order."""
    tokens = round(recipe.tokens * random.uniform(*recipe.fill))
    document = _document(random, "narrativeqa", tokens, recipe.density)
    row = [Stretch(context(document)), Stretch(" Q: What was said?, A: They discussed")]
    for fact in random.sample(document.facts, len(document.facts)):
        row += [Stretch(f" the {fact.key}"), Stretch(f" {fact.value}", "recital"), Stretch(" and")]
    return _fit(row, recipe.tokens - 1)


def _document(random: Random, task: str, tokens: int, density: tuple[float, float]) -> WorldDocument:
    facts = max(2, round(tokens / _TOKENS_A_SENTENCE * random.uniform(*density)))
    return make_document(random, task, "train", Shape(tokens, facts))


def _exchange(question: Question, *, learn: bool = True) -> tuple[Stretch, Stretch, Stretch]:
    kind = question.kind if learn else ""
    return Stretch(f" Q: {question.prompt}, A:"), Stretch(f" {question.answer}", kind), Stretch("\n", kind and "stop")


def _exchanges(random: Random, document: WorldDocument, room: int, *, letters: bool) -> list[Stretch]:
    """Questions right behind the document, as many as fit: first " Q:", then each on a line of its own."""
    stretches: list[Stretch] = []
    for question in _questions(random, document):
        lead = [Stretch("\n" + random.choice(("", PLACEHOLDER)))] if stretches else []
        said = question if letters or not question.options else replace(question, answer=question.evidence[0].value)
        asked = [*lead, *_exchange(said)]
        room -= sum(count_tokens(stretch.text) for stretch in asked)
        if room < 0:
            break
        stretches += asked
    return stretches


def _questions(random: Random, document: WorldDocument) -> Iterator[Question]:
    if document.task == "qmsum" and random.random() < 0.5:  # noqa: PLR2004 - half of the meetings
        yield ask_overview(document)
    for fact in random.sample(document.facts, len(document.facts)):
        yield ask(random, document, fact)


def _demonstrations(random: Random, task: str, tokens: int, *, letters: bool) -> Iterator[Stretch]:
    """One or two solved examples in front, with whole short documents or with a placeholder."""
    whole = tokens // 4 >= _LEAST and random.random() < 0.25  # noqa: PLR2004 - the rest has placeholders
    for _ in range(random.randint(1, 2)):
        document = _document(random, task, tokens // 4 if whole else _LEAST, (0.3, 1.0))
        question = ask(random, document, random.choice(document.facts))
        yield Stretch(context(document) if whole else PLACEHOLDER)
        # demonstrations answer options with letters, as the task's do
        yield from _exchange(question, learn=whole and (letters or not question.options))
        yield Stretch("\n")


def _pass_key(random: Random, room: int, tokens: int) -> list[Stretch]:
    key = str(random.randint(10000, 99999))
    lines = [story_sentence(random, None).text for _ in range((tokens - 30) // _TOKENS_A_SENTENCE)]
    lines.insert(random.randint(0, len(lines)), f"The pass key is {key}. Remember it. {key} is the pass key.")
    question = Question("What is the pass key?", key, "", (), kind="pass key")
    return _fit([Stretch(" ".join(lines)), *_exchange(question)], room)


def _first_sentence(random: Random, room: int, tokens: int) -> list[Stretch]:
    document = _document(random, "narrativeqa", tokens, (0.2, 0.6))
    question = Question("What is the first sentence?", document.sentences[0].text, "", (), kind="first sentence")
    return _fit([Stretch(context(document)), *_exchange(question)], room)


def _key_value(random: Random, room: int, tokens: int) -> list[Stretch]:
    facts = draw_facts(random, "train", max(2, tokens // 10))
    row = [Stretch("\n".join(f"Key {fact.key}: {fact.value}" for fact in facts))]
    for fact in random.sample(facts, len(facts)):
        question = Question(f"What is the value of the key {fact.key}?", fact.value, "", (), kind="key-value")
        row += [*_exchange(question), Stretch("\n" + PLACEHOLDER)]
    return _fit(row, room)


def _fit(row: list[Stretch], room: int) -> list[Stretch]:
    """The row as far as it fits whole."""
    kept: list[Stretch] = []
    for stretch in row:
        room -= count_tokens(stretch.text)
        if room < 0:
            break
        kept.append(stretch)
    return kept


_DRILLS = {"echo": _echo, "recital": _recital}
_PROBES = {"pass key": _pass_key, "first sentence": _first_sentence, "key-value": _key_value}
TASK_ROWS = (("narrativeqa", 3.0), ("qasper", 3.0), ("quality", 2.0), ("qmsum", 2.0))
PROBE_ROWS = (("pass key", 0.5), ("first sentence", 0.5), ("key-value", 0.7))
