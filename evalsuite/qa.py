"""Two protocols that several tasks share: Llama 2 Long for pretrained models, and SCROLLS.

Source: Xiong et al. 2023, arXiv:2309.16039, footnote 2: ``{CONTEXT} Q: {QUESTION}, A:``. The paper does not
say how demonstrations are joined, how long an answer may be, or where it ends. Here a demonstration is the same text,
followed by its answer and a blank line. An answer ends with its line. Its limit is the limit of ZeroSCROLLS
(arXiv:2305.14196).
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
    """The answer of a demonstration: the first reference."""
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
    """A protocol with the prompt of the paper.

    Args:
        score: reads and scores the answer.
        max_new_tokens: room for the answer.
        asked: the text after ``Q:``.
        answer: the text after ``A:`` in a demonstration.
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
    """A protocol with the prompt of SCROLLS (Shaham et al. 2022): the query, a blank line, the document.

    It is for models that were fine-tuned on SCROLLS. There are no demonstrations, and no words before the answer. The
    end of a long document is cut.

    Args:
        score: reads and scores the answer.
        max_new_tokens: room for the answer; SCROLLS names none.
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
