"""L-Eval prompts as parts, and the official scripts' cut as a run uses it."""

from functools import lru_cache

from evalsuite.protocols import CutRule, OfficialCut, OfficialCutInput, Tokenizer
from evalsuite.types import Part, Parts, Removal, Role, Sample, Span

from .cut import RESERVED_TOKENS, DocumentCut, cut_document
from .prompts import Script, build_prompt, counts_specials, keeps_end, prediction_path, prompt_ids, split_template
from .sets import Set

THOUSAND = 1000


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
    """Return a Hugging Face script's cut as a run's: the limit is of prompt and answer.

    The limit is taken in whole thousands, as the argument `--max_length 16k` means 16,000 on a model of 16,384.

    Args:
        script: `llama2-chat-test` or `longchat-test`; turbo sends messages to a server and has no ids.
        one: the set asked.
    """
    path = prediction_path(one.name, one.run_metric)

    def apply(given: OfficialCutInput) -> OfficialCut:
        sample, tokenizer = given.sample, given.tokenizer
        limit = given.limit // THOUSAND * THOUSAND if given.limit >= THOUSAND else given.limit
        budget = limit - RESERVED_TOKENS
        document = _cut(sample.document.text, budget, tokenizer, path, script)  # type: ignore[arg-type]  # hashes by identity
        reference = sample.references[0]
        prompt = build_prompt(script, path, one.run_metric, document.text, sample.question, reference)
        ids = prompt_ids(script, prompt.text, tokenizer) or ()
        removed = _removed(sample.document.text, document)
        return OfficialCut(
            ids=ids,
            tokens_before=len(ids) + document.tokens_before - document.tokens_kept,
            removed=removed,
            side=document.side,
            kept=(Span(document.kept.start, document.kept.end),),
            over_limit=len(ids) > limit,
        )

    return apply


@lru_cache(maxsize=4)
def _cut(document: str, limit: int, tokenizer: Tokenizer, path: str, script: Script) -> DocumentCut:
    """Cut a document, remembering the last ones: the questions of one share its cut."""
    specials = counts_specials(script)
    return cut_document(document, limit, tokenizer, keep_end=keeps_end(path), special_tokens=specials)


def _removed(document: str, cut: DocumentCut) -> tuple[Removal, ...]:
    """Return what the document lost."""
    lost = len(document) - len(cut.text)
    return (Removal(Role.DOCUMENT, cut.tokens_before - cut.tokens_kept, lost),) if lost else ()
