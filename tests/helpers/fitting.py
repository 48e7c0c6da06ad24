"""What must hold of every fitted prompt, worked out apart from the code that fits."""

from __future__ import annotations

from evalsuite.interfaces import Tokenizer
from evalsuite.prompts.chat import Frame, plain_frame
from evalsuite.prompts.fit import Budget, Fitted, fit
from evalsuite.prompts.strategies import STRATEGIES, part_spans
from evalsuite.types import Part, Role, Sample

CUTTING = tuple(name for name, strategy in STRATEGIES.items() if strategy.side)
"""Strategies under which our own code cuts."""
SURVIVE_ALL = (Role.QUESTION, Role.RESPONSE)
SEAM = 4
"""Tokens by which encoding the two sides of a cut together may differ from encoding them apart."""
LOSSY = "wordpiece"


def fitted(
    parts: tuple[Part, ...],
    budget: int,
    strategy: str,
    tokenizer: Tokenizer,
    sample: Sample,
    frame: Frame | None = None,
) -> Fitted:
    """A fitted prompt, checked."""
    frame = frame or plain_frame(tokenizer)
    found = fit(parts, frame, Budget(budget, "cap"), strategy, tokenizer, sample)
    assert found is not None
    check(found, parts, frame, tokenizer)
    return found


def check(found: Fitted, parts: tuple[Part, ...], frame: Frame, tokenizer: Tokenizer) -> None:
    """The budget, the frame, the parts that survive and the record."""
    cut = found.cut
    assert cut.tokens_kept == len(found.ids) <= cut.budget
    _check_frame(found, frame, tokenizer)
    _check_text(found, parts, frame, tokenizer)
    _check_record(found, parts, tokenizer)


def _check_frame(found: Fitted, frame: Frame, tokenizer: Tokenizer) -> None:
    end = len(found.ids) - len(frame.tail)
    assert found.ids[: len(frame.head)] == frame.head
    assert found.ids[end:] == frame.tail
    if tokenizer.bos_id is not None:
        assert found.ids.count(tokenizer.bos_id) == 1
        assert found.ids[0] == tokenizer.bos_id


def _check_text(found: Fitted, parts: tuple[Part, ...], frame: Frame, tokenizer: Tokenizer) -> None:
    ids = found.ids[len(frame.head) : len(found.ids) - len(frame.tail)]
    whole = "".join(part.text for part in parts)
    assert tuple(tokenizer.encode_literal(found.text).ids) == ids
    if not is_lossy(tokenizer):
        assert tokenizer.decode(ids) == found.text
    kept = survivors(parts, found.cut.strategy)
    assert found.text.endswith(kept[1])
    if kept[0]:
        assert found.text.startswith(kept[0])
    if found.removed is None:
        assert found.text == whole
    else:
        assert found.text == whole[: found.removed.start] + whole[found.removed.end :]


def survivors(parts: tuple[Part, ...], strategy: str) -> tuple[str, str]:
    """Text that must stand at the beginning and at the end, word for word."""
    at = next(i for i, part in enumerate(parts) if part.role is Role.DOCUMENT)
    before = "" if strategy == "left" else "".join(part.text for part in parts[:at])
    return before, "".join(part.text for part in parts[at + 1 :])


def _check_record(found: Fitted, parts: tuple[Part, ...], tokenizer: Tokenizer) -> None:
    cut = found.cut
    whole = sum(len(part.text) for part in parts)
    assert sum(removal.characters for removal in cut.removed) == whole - len(found.text)
    assert all(removal.role not in SURVIVE_ALL for removal in cut.removed)
    assert abs(cut.tokens_before - sum(r.tokens for r in cut.removed) - cut.tokens_kept) <= SEAM
    assert cut.is_cut == (found.removed is not None) == (cut.side is not None)
    if found.removed is None:
        assert cut.tokens_before == cut.tokens_kept
        return
    starts = [start for start, _ in tokenizer.encode_literal("".join(part.text for part in parts)).offsets]
    for part, span in zip(parts, part_spans(parts), strict=True):
        first, end = max(span.start, found.removed.start), min(span.end, found.removed.end)
        taken = [removal for removal in cut.removed if removal.role is part.role]
        assert max(0, end - first) == sum(removal.characters for removal in taken)
        assert sum(first <= start < end for start in starts) == sum(removal.tokens for removal in taken)


def is_lossy(tokenizer: Tokenizer) -> bool:
    """Whether a text does not come back from its ids (WordPiece folds case)."""
    return tokenizer.decode(tokenizer.encode_literal("Née A").ids) != "Née A"
