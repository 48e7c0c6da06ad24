"""L-Eval prompts as parts, and the official scripts' cut as a run uses it."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from evalsuite.interfaces import CutRule, OfficialCut, OfficialCutInput, Tokenizer
from evalsuite.types import Part, Parts, Removal, Role, Sample, Span

from .cut import RESERVED_TOKENS, DocumentCut, cut_document
from .prompts import Script, build_prompt, counts_specials, keeps_end, prediction_path, prompt_ids, split_template
from .reader import FACT
from .sets import Set

THOUSAND = 1000

Ask: TypeAlias = Callable[[Sample], Parts]
"""A question as parts."""


def parts(script: Script, one: Set, sample: Sample) -> Parts:
    """Return a question's prompt as parts, for the cuts that are not L-Eval's.

    The scripts' second pass over the braces of code, GSM and topic documents is left out: it is part of the official
    rule only. turbo's system prompt is a SYSTEM part.
    """
    path = prediction_path(one.name, one.run_metric)
    system, head, between, tail = split_template(script, path, one.run_metric, sample.references[0])
    first = (Part(Role.SYSTEM, system),) if script == "turbo16k-test" else ()
    found = (
        Part(Role.INSTRUCTION, head),
        Part(Role.DOCUMENT, sample.document.text),
        Part(Role.QUESTION, between + sample.question),
        Part(Role.RESPONSE, tail),
    )
    return (*first, *(part for part in found if part.text or part.role is Role.DOCUMENT))


def cut_rule(script: Script, one: Set) -> CutRule:
    """Return a script's cut as a run's: the limit is of prompt and answer.

    The limit is taken in whole thousands, as the argument `--max_length 16k` means 16,000 on a model of 16,384.
    The Hugging Face scripts' ids are theirs, token for token. turbo16k-test sends messages to a server that renders
    them: here its texts stand one after the other, encoded once behind one BOS.

    Args:
        script: whose cut and prompt.
        one: the set asked.
    """
    path = prediction_path(one.name, one.run_metric)

    def apply(given: OfficialCutInput) -> OfficialCut:
        sample, tokenizer, limit = given.sample, given.tokenizer, whole_thousands(given.limit)
        if script != "turbo16k-test" and sample.attributes.get("asked") == FACT:
            return _without_document(given, limit)
        budget = limit - RESERVED_TOKENS
        document = _cut(sample.document.text, budget, tokenizer, path, script)  # type: ignore[arg-type]  # hashes by identity
        prompt = build_prompt(script, path, one.run_metric, document.text, sample.question, sample.references[0])
        ids = prompt_ids(script, prompt.text, tokenizer) or _messages(given.parts, document.text, tokenizer)
        return OfficialCut(
            ids=ids,
            tokens_before=len(ids) + document.tokens_before - document.tokens_kept,
            removed=_removed(sample.document.text, document),
            side=document.side,
            kept=(Span(document.kept.start, document.kept.end),),
            over_limit=len(ids) > limit,
            prompt_limit=limit,
        )

    return apply


def whole_thousands(limit: int) -> int:
    """Return the limit that the scripts can be given: whole thousands, or less than one as it is."""
    return limit // THOUSAND * THOUSAND if limit >= THOUSAND else limit


def _without_document(given: OfficialCutInput, limit: int) -> OfficialCut:
    """sci_fi's question by facts in the Hugging Face scripts: nothing to cut."""
    text = "".join(part.text for part in given.parts)
    ids = tuple(given.tokenizer.encode(text, special_tokens=True))
    whole = (Span(0, len(given.sample.document.text)),)
    return OfficialCut(ids, len(ids), (), None, whole, over_limit=len(ids) > limit, prompt_limit=limit)


def _messages(parts: Parts, document: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    text = "".join(document if part.role is Role.DOCUMENT else part.text for part in parts)
    bos = () if tokenizer.bos_id is None else (tokenizer.bos_id,)
    return (*bos, *tokenizer.encode_literal(text).ids)


@lru_cache(maxsize=4)
def _cut(document: str, limit: int, tokenizer: Tokenizer, path: str, script: Script) -> DocumentCut:
    """Cut a document, remembering the last ones: the questions of one share its cut."""
    specials = counts_specials(script)
    return cut_document(document, limit, tokenizer, keep_end=keeps_end(path), special_tokens=specials)


def _removed(document: str, cut: DocumentCut) -> tuple[Removal, ...]:
    """Return what the document lost."""
    lost = len(document) - len(cut.text)
    return (Removal(Role.DOCUMENT, cut.tokens_before - cut.tokens_kept, lost),) if lost else ()
