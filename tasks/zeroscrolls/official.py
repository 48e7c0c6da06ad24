"""ZeroSCROLLS rows as samples and parts, and the official rules as a run uses them.

The runners' rules are in `cut`; what differs here, because a run sends ids to a local model: a BOS is put in front
where the model has one and counts as one token of the limit, and a character is never broken.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from evalsuite.interfaces import CutRule, OfficialCut, OfficialCutInput, Tokenizer
from evalsuite.types import Json, Part, Parts, Removal, Role, Sample, Span

from .cut import OfficialPrompt, Rule, cut
from .request import CHAT_REQUEST, Row

Offsets: TypeAlias = Callable[[str], list[tuple[int, int]]]
"""Character offsets of a text's tokens."""

WHOLE_CHARACTER_NOTE = "cut before a character that the official code breaks"


def attributes_of(row: Row) -> dict[str, Json]:
    """Return what a sample keeps of a row beside its document: the frame's texts and the official separator."""
    return {
        "instruction": row.input[: row.document_start],
        "between": row.input[row.document_end : row.query_start],
        "query": row.input[row.query_start : row.query_end],
        "response": row.input[row.query_end :],
        "separator": row.separator,
    }


def row_of(sample: Sample) -> Row:
    """Return the row a sample was made of."""
    frame: Mapping[str, str] = sample.attributes
    start = len(frame["instruction"])
    end = start + len(sample.document.text)
    query = end + len(frame["between"])
    text = frame["instruction"] + sample.document.text
    text += frame["between"] + frame["query"] + frame["response"]
    return Row(text, start, end, query, query + len(frame["query"]), frame["separator"])


def base_parts(sample: Sample) -> Parts:
    """Return the ready-made prompt as parts, as base models get it."""
    frame: Mapping[str, str] = sample.attributes
    return (
        Part(Role.INSTRUCTION, frame["instruction"]),
        Part(Role.DOCUMENT, sample.document.text),
        Part(Role.QUESTION, frame["between"] + frame["query"]),
        Part(Role.RESPONSE, frame["response"]),
    )


def chat_parts(sample: Sample, *, summary: bool) -> Parts:
    """Return the prompt of a chat model: the request in the instruction, no response header."""
    instruction, document, question, _ = base_parts(sample)
    if not summary:
        head, blank, rest = instruction.text.partition("\n\n")
        instruction = Part(Role.INSTRUCTION, f"{head.strip()} {CHAT_REQUEST}{blank}{rest}")
    return (instruction, document, question)


def cut_rule(rule: Rule, *, summary: bool) -> CutRule:
    """Return a runner's rule as a run's cut.

    Args:
        rule: which runner to follow; `hf` takes the limit as of the prompt alone, the others of prompt and answer.
        summary: whether the set is one of the four summary sets.
    """

    def apply(given: OfficialCutInput) -> OfficialCut:
        tokenizer = given.tokenizer
        bos = () if rule == "hf" or tokenizer.bos_id is None else (tokenizer.bos_id,)
        prompt, note = _build(rule, given, given.limit - len(bos), summary=summary)
        # a book is long to tokenize: both look at the same text
        offsets = lru_cache(maxsize=1)(tokenizer.offsets)
        end = kept_end(prompt, tokenizer, offsets)
        row = prompt.row
        return OfficialCut(
            ids=(*bos, *prompt.ids),
            tokens_before=prompt.input_tokens + len(bos),
            removed=_removed(row, end, offsets) if prompt.truncated else (),
            side="right" if prompt.truncated else None,
            kept=(Span(0, min(max(end, row.document_start), row.document_end) - row.document_start),),
            over_limit=prompt.over_limit,
            note=note,
        )

    return apply


def kept_end(prompt: OfficialPrompt, tokenizer: Tokenizer, offsets: Offsets) -> int:
    """Return the character of `prompt.row.input` up to which the front part was kept.

    Args:
        prompt: what was built.
        tokenizer: that it was built with.
        offsets: its offsets of a text, remembered by the caller who needs them again.
    """
    if not prompt.truncated:
        return len(prompt.row.input)
    if prompt.kept_end is not None:
        return prompt.kept_end
    text, kept = prompt.row.input, prompt.kept_tokens
    if prompt.prefix_tokens is not None:
        text = text[: prompt.row.query_start]
        kept = min(kept - _leading_specials(tokenizer), len(offsets(text)))
    return offsets(text)[kept - 1][1] if kept > 0 else 0


def _build(rule: Rule, given: OfficialCutInput, limit: int, *, summary: bool) -> tuple[OfficialPrompt, str]:
    """Build the prompt, at a whole character where the official cut would break one."""
    row, room = row_of(given.sample), given.max_new_tokens
    prompt = cut(rule, row, given.tokenizer, limit=limit, max_new_tokens=room, summary=summary)
    if not prompt.partial_character:
        return prompt, ""
    mended = cut(rule, row, given.tokenizer, limit=limit, max_new_tokens=room, summary=summary, whole_characters=True)
    return mended, WHOLE_CHARACTER_NOTE


def _leading_specials(tokenizer: Tokenizer) -> int:
    """Return how many special tokens stand in front of any text."""
    plain, framed = tokenizer.encode("a"), tokenizer.encode("a", special_tokens=True)
    return next(at for at in range(len(framed) + 1) if framed[at : at + len(plain)] == plain)


def _removed(row: Row, end: int, offsets: Offsets) -> tuple[Removal, ...]:
    """Return what instruction and document lost, when the text was kept up to `end`."""
    starts = [start for start, _ in offsets(row.input)]
    parts = ((Role.INSTRUCTION, 0, row.document_start), (Role.DOCUMENT, row.document_start, row.document_end))
    lost = ((role, max(first, end), last) for role, first, last in parts)
    return tuple(
        Removal(role, sum(first <= start < last for start in starts), last - first)
        for role, first, last in lost
        if first < last
    )
