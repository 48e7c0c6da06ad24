"""Two ways to ask that several tasks share: as Llama 2 Long asks pretrained models, and as SCROLLS asks.

Source: Xiong et al. 2023, arXiv:2309.16039, footnote 2: ``{CONTEXT} Q: {QUESTION}, A:``. The paper states neither how
demonstrations are joined, nor the longest answer, nor where an answer ends. Here a demonstration is the same text with
its answer behind it and a blank line; an answer ends at its line; its room is that of ZeroSCROLLS (arXiv:2305.14196).
"""

from __future__ import annotations

from collections.abc import Callable

from evalsuite.task import PromptProtocol
from evalsuite.types import Completion, Part, Parts, Role, Sample, ScoredAnswer

LLAMA_2_LONG = "Llama 2 Long, arXiv:2309.16039, footnote 2"
SCROLLS = "SCROLLS, arXiv:2201.03533, section 4"
STOP = ("\n",)
"""Every answer of these tasks is one line."""

Words = Callable[[Sample], str]
Scorer = Callable[[Sample, Completion], ScoredAnswer]


def question(sample: Sample) -> str:
    """The question as the data has it."""
    return sample.question


def first_reference(sample: Sample) -> str:
    """The answer a demonstration gives: the first of the references."""
    return sample.references[0]


def paper_protocol(
    *,
    score: Scorer,
    max_new_tokens: int,
    asked: Words = question,
    answer: Words = first_reference,
    name: str = "paper",
    options: Callable[[Sample], tuple[str, ...]] | None = None,
    note: str = "",
) -> PromptProtocol:
    """A protocol that asks as the paper does.

    Args:
        score: reads and scores the answer.
        max_new_tokens: room for the answer.
        asked: what stands behind ``Q:``.
        answer: what a demonstration says behind ``A:``.
        name: the protocol's name.
        options: continuations to compare instead of generating an answer.
        note: what a reader of the number must know.
    """

    def prompt(sample: Sample) -> Parts:
        return (
            Part(Role.DOCUMENT, sample.document.text),
            Part(Role.QUESTION, f" Q: {asked(sample)}"),
            Part(Role.RESPONSE, ", A:"),
        )

    def demonstrate(sample: Sample) -> Parts:
        return (*prompt(sample), Part(Role.RESPONSE, f" {answer(sample)}\n\n"))

    return PromptProtocol(
        name=name,
        follows=LLAMA_2_LONG,
        prompt=prompt,
        score=score,
        demonstrate=demonstrate,
        max_new_tokens=max_new_tokens,
        stop=STOP,
        options=options,
        note=note,
    )


def scrolls_protocol(*, score: Scorer, max_new_tokens: int, asked: Words = question, note: str = "") -> PromptProtocol:
    """A protocol that asks as SCROLLS does (Shaham et al. 2022): the query, a blank line, the document, nothing more.

    Meant for models fine-tuned on it: no demonstrations, no words that lead to the answer. A document that is too long
    loses its end.

    Args:
        score: reads and scores the answer.
        max_new_tokens: room for the answer; SCROLLS states none.
        asked: the query.
        note: what a reader of the number must know.
    """

    def prompt(sample: Sample) -> Parts:
        return (Part(Role.QUESTION, f"{asked(sample)}\n\n"), Part(Role.DOCUMENT, sample.document.text))

    meant = "For models fine-tuned on SCROLLS; its own texts are cleaned, these are the original dataset's."
    return PromptProtocol(
        name="scrolls",
        follows=SCROLLS,
        prompt=prompt,
        score=score,
        max_new_tokens=max_new_tokens,
        strategy="document-right",
        note=" ".join(filter(None, (meant, note))),
    )
