"""The official cuts of ZeroSCROLLS: one function a runner, quirks included.

Source: tau-nlp/zero_scrolls@c994676: experiments/hf/run_hf_model.py (`process_model_input`),
experiments/api/openai_api.py and anthropic_api.py (`build_prompt`). Slices are Python slices throughout: a negative
count takes tokens from the END, which is how the official code comes to send prompts far over its limit.
"""

from dataclasses import dataclass
from typing import Literal

from evalsuite.errors import UsageError
from evalsuite.interfaces import Tokenizer

from .request import Row, chat_row, claude_row, claude_tag

Rule = Literal["hf", "api", "api_chat", "api_claude"]
RULES: tuple[Rule, ...] = ("hf", "api", "api_chat", "api_claude")

CHAT_FRAME_TOKENS = 9
"""Tokens the official code holds back for the message frame of an OpenAI chat model."""

HUMAN = "\n\nHuman:"
ASSISTANT = "\n\nAssistant:"
"""Turn markers of the Claude completion API (anthropic 0.3.4: `HUMAN_PROMPT`, `AI_PROMPT`)."""

REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class OfficialPrompt:
    """A prompt as the official code builds it, and what it lost.

    Attributes:
        text: what the model gets; None for `hf`, which sends ids.
        ids: what the model gets under `hf`; under the API rules the plain tokens of `text`.
        limit: tokens the rule leaves to the prompt (generation taken off where the rule counts it).
        row: the row after the insertion and cut of the rule, with its shifted indices.
        truncated: whether anything was cut.
        partial_character: the cut fell inside a character and left U+FFFD in the prompt.
        input_tokens: tokens compared with the limit.
        kept_tokens: tokens kept of the front part.
        suffix_tokens: tokens of separator and suffix; None when nothing was cut.
        prefix_tokens: tokens of the front part before the cut; None unless the rule tokenizes it apart (`hf`).
        kept_end: character of `row.input` up to which the front part was kept; None where only tokens are known.
    """

    text: str | None
    ids: tuple[int, ...]
    limit: int
    row: Row
    truncated: bool
    partial_character: bool
    input_tokens: int
    kept_tokens: int
    suffix_tokens: int | None = None
    prefix_tokens: int | None = None
    kept_end: int | None = None

    @property
    def over_limit(self) -> bool:
        """Whether the prompt has more tokens than the rule allows: a run refuses it, the official code sent it."""
        return len(self.ids) > self.limit

    @property
    def cut_tokens(self) -> int:
        """Tokens cut, counted as the rule counts (the API rules count the query although the suffix repeats it)."""
        whole = self.input_tokens if self.prefix_tokens is None else self.prefix_tokens
        return whole - self.kept_tokens if self.truncated else 0


def cut(
    rule: Rule,
    row: Row,
    tokenizer: Tokenizer,
    *,
    limit: int,
    max_new_tokens: int,
    summary: bool,
    whole_characters: bool = False,
) -> OfficialPrompt:
    """Build the prompt of one row by one of the official rules.

    Args:
        rule: which runner to follow.
        row: the row as published.
        tokenizer: the evaluated model's.
        limit: tokens of prompt and generation together; of the prompt alone for `hf`.
        max_new_tokens: tokens to generate; `hf` keeps no room for them and ignores the number.
        summary: whether the set is one of the four summary sets.
        whole_characters: cut before a character rather than inside it (a deviation; the default reproduces).

    Raises:
        UsageError: Claude's frame and query leave no place in the text to cut at.
    """
    if rule == "hf":
        return cut_hf(row, tokenizer, limit)
    room = limit - max_new_tokens
    if rule == "api_claude":
        return cut_claude(row, tokenizer, room, summary=summary)
    if rule == "api":
        return cut_api(row, tokenizer, room, frame_tokens=0, whole_characters=whole_characters)
    changed = chat_row(row, summary=summary)
    frame = CHAT_FRAME_TOKENS
    return cut_api(changed, tokenizer, room, frame_tokens=frame, whole_characters=whole_characters)


def cut_hf(row: Row, tokenizer: Tokenizer, limit: int) -> OfficialPrompt:
    """Cut as the T5 runner does: front part and suffix are tokenized apart and their ids joined."""
    ids = tuple(tokenizer.encode(row.input, special_tokens=True))
    if len(ids) <= limit:
        return _whole(None, ids, limit, row, len(ids))
    # Both parts carry the special tokens, so a start token stands again before the separator.
    suffix = tokenizer.encode(row.separator + row.input[row.query_start :], special_tokens=True)
    front = tokenizer.encode(row.input[: row.query_start], special_tokens=True)
    # A suffix longer than the limit makes this negative: a few tokens go from the end, the rest stays.
    kept = front[: limit - len(suffix)]
    return OfficialPrompt(
        text=None,
        ids=(*kept, *suffix),
        limit=limit,
        row=row,
        truncated=True,
        partial_character=False,
        input_tokens=len(ids),
        kept_tokens=len(kept),
        suffix_tokens=len(suffix),
        prefix_tokens=len(front),
    )


def cut_api(row: Row, tokenizer: Tokenizer, room: int, *, frame_tokens: int, whole_characters: bool) -> OfficialPrompt:
    """Cut as the OpenAI runner does: the tokens of the whole input, query included, are cut and decoded.

    Args:
        row: the row as the rule sees it.
        tokenizer: the evaluated model's.
        room: limit minus tokens to generate.
        frame_tokens: tokens held back for the message frame.
        whole_characters: step back to a whole character where the cut would break one.
    """
    ids = tuple(tokenizer.encode(row.input, special_tokens=False))
    # The frame is not counted here: a text that just fits passes whole.
    if len(ids) <= room:
        return _whole(row.input, ids, room, row, len(ids))
    suffix = row.separator + row.input[row.query_start :]
    suffix_tokens = len(tokenizer.encode(suffix, special_tokens=False))
    # Negative when the suffix does not fit: nearly the whole input stays and the suffix follows it.
    kept = ids[: room - suffix_tokens - 1 - frame_tokens]
    if whole_characters:
        kept = _whole_characters(kept, row.input, tokenizer)
    # Only the front part passes through decode; a lossy tokenizer alters it and not the suffix.
    front = tokenizer.decode(kept)
    text = front + suffix
    return OfficialPrompt(
        text=text,
        ids=tuple(tokenizer.encode(text, special_tokens=False)),
        limit=room,
        row=row,
        truncated=True,
        partial_character=text.count(REPLACEMENT) > row.input.count(REPLACEMENT),
        input_tokens=len(ids),
        kept_tokens=len(kept),
        suffix_tokens=suffix_tokens,
    )


def cut_claude(row: Row, tokenizer: Tokenizer, room: int, *, summary: bool) -> OfficialPrompt:
    """Cut as the Anthropic runner does: by the character at which a token begins, without decoding.

    Raises:
        UsageError: fewer tokens than the count asks to drop from the end (the official code: IndexError).
    """
    answer = row.answer_type
    end = ASSISTANT if summary else f"{ASSISTANT} {answer}: <{claude_tag(answer)}>"
    row = claude_row(row, summary=summary)
    body = row.input[: row.query_end]
    text = f"{HUMAN} {body}{end}"
    ids = tuple(tokenizer.encode(text, special_tokens=False))
    if len(ids) <= room:
        return _whole(text, ids, room, row, len(ids))
    end = row.separator + row.input[row.query_start : row.query_end] + end
    suffix_tokens = len(tokenizer.encode(f"{HUMAN} {end}", special_tokens=False))
    # The frame is counted here and again in the tokens kept.
    kept = room - suffix_tokens - 1
    if kept < -len(ids):
        raise UsageError(f"frame and query take {suffix_tokens} tokens, far over the {room} there are")
    # The offset points into `text`, which has the frame in front: as many characters too many are kept.
    offset = tokenizer.offsets(text)[kept][0]
    text = f"{HUMAN} {body[:offset]}{end}"
    return OfficialPrompt(
        text=text,
        ids=tuple(tokenizer.encode(text, special_tokens=False)),
        limit=room,
        row=row,
        truncated=True,
        partial_character=False,
        input_tokens=len(ids),
        kept_tokens=kept if kept >= 0 else len(ids) + kept,
        suffix_tokens=suffix_tokens,
        kept_end=min(offset, len(body)),
    )


def _whole(text: str | None, ids: tuple[int, ...], limit: int, row: Row, tokens: int) -> OfficialPrompt:
    """Return the prompt of a row that fits."""
    return OfficialPrompt(text, ids, limit, row, False, False, tokens, tokens)  # noqa: FBT003 field order


def _whole_characters(kept: tuple[int, ...], text: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    """Drop tokens from the end of `kept` while its last token and the next one share a character."""
    offsets, count = tokenizer.offsets(text), len(kept)
    while 0 < count < len(offsets) and offsets[count - 1][1] > offsets[count][0]:
        count -= 1
    return kept[:count]
