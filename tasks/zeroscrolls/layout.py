"""The official wording round each set's document: instruction, headers, separator.

Source: arXiv:2305.14196v3, tables 5 and 6. The official files carry it ready-made; here it serves the sets rebuilt
from the original datasets.
"""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.types import Json

_CONCISE = "Answer the question as concisely as you can, using a single phrase"


@dataclass(frozen=True, slots=True)
class Layout:
    """The words round a document.

    Attributes:
        instruction: what is asked for, and in which form.
        context: header of the document, without its colon.
        omitted: the separator's words, between `The rest of the ` and ` omitted`.
        query: header of the query, without its colon; empty where the set has no query.
        response: header of the answer, without its colon.
    """

    instruction: str
    context: str
    omitted: str
    query: str = ""
    response: str = "Answer"

    def attributes(self, query: str = "") -> dict[str, Json]:
        """Return the texts round a document, as a sample of the official files has them."""
        return {
            "instruction": f"{self.instruction}\n\n{self.context}:\n",
            "between": "\n\n",
            "query": f"{self.query}:\n{query}" if self.query else "",
            "response": f"\n\n{self.response}:" if self.query else f"{self.response}:",
            "separator": f"... [The rest of the {self.omitted} omitted]\n\n",
            "inner_documents": 0,
        }


LAYOUTS = {
    "gov_report": Layout(
        "You are given a report by a government agency. Write a one-page summary of the report.",
        "Report",
        "report is",
        response="Summary",
    ),
    "summ_screen_fd": Layout(
        "You are given a script of a TV episode. Summarize the episode in a paragraph.",
        "Episode Script",
        "episode script is",
        response="Summary",
    ),
    "qmsum": Layout(
        "You are given a meeting transcript and a query containing a question or instruction. "
        "Answer the query in one or more sentences.",
        "Transcript",
        "transcript is",
        "Query",
    ),
    "squality": Layout(
        "You are given a story and a question. Answer the question in a paragraph.", "Story", "story is", "Question"
    ),
    "qasper": Layout(
        f"You are given a scientific article and a question. {_CONCISE} or sentence if possible. If the question "
        "cannot be answered based on the information in the article, write “unanswerable”. If the question is a yes/no "
        "question, answer “yes”, “no”, or “unanswerable”.",
        "Article",
        "article is",
        "Question",
    ),
    "narrative_qa": Layout(
        "You are given a story, which can be either a novel or a movie script, and a question. "
        f"{_CONCISE} if possible.",
        "Story",
        "story is",
        "Question",
    ),
    "quality": Layout(
        "You are provided a story and a multiple-choice question with 4 possible answers (marked by A, B, C, D). "
        "Choose the best answer by writing its corresponding letter (either A, B, C, or D).",
        "Story",
        "story is",
        "Question and Possible Answers",
    ),
    "musique": Layout(
        f"You are given several paragraphs from Wikipedia and a question. {_CONCISE} if possible. If the question "
        "cannot be answered based on the information in the paragraphs, write “unanswerable”.",
        "Paragraphs",
        "paragraphs are",
        "Question",
    ),
    "space_digest": Layout(
        "You are given a list of reviews about a specific hotel. Each review is either positive or negative. "
        "What is the percentage of positive reviews (e.g. 60%, 34%, etc.)?",
        "Reviews",
        "reviews are",
        response="Percentage of Positive Reviews",
    ),
    "book_sum_sort": Layout(
        "You are given {count} summaries of chapters or parts of a novel, in a shuffled order, where each summary is "
        "denoted by a numerical ID (e.g. Summary 1, Summary 3, etc.). Reorder the summaries according to the original "
        "order of chapters/parts in the novel by writing a list of length {count} of the summary IDs (e.g. if you were "
        'given 5 summaries, one possible answer could be "5, 1, 3, 4, 2").',
        "Summaries",
        "summaries are",
        response="Summary IDs in Correct Order",
    ),
}
