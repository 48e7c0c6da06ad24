"""Made-up miniature files in every publisher's format: what the readers, prompts and scorers can be tried on anywhere.

Every text here is invented. A ``Miniature`` is one file of one task in one layout, with what else has to lie beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zero

STORY = "The fox asked the owl for bread. The owl gave it a boat. Nobody came home."
OPTIONS = ["A red fox", "The blue bird", "Nobody", "Both of them"]


@dataclass(frozen=True)
class Miniature:
    """One file: the task that reads it, where it lies, its records."""

    task: str
    split: str
    path: str
    records: Any
    """A list of rows; a dict is one JSON object."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Other files by path, as text."""
    documents: int = 2
    questions: int = 3
    optional: frozenset[str] = frozenset()
    """Fields that may be absent or null, which is then seen in the samples or in a note."""

    @property
    def name(self) -> str:
        return f"{self.task}:{self.path}"

    def text(self, records: Any) -> str:
        """The file's content for records, which may have been damaged."""
        if self.path.endswith(".jsonl") or "htmlstripped" in self.path:
            return "".join(json.dumps(row) + "\n" for row in records)
        return json.dumps(records, indent=1)

    def write(self, root: Path, content: str | None = None) -> Path:
        """Writes the file, and what lies beside it, below a data folder."""
        files = {**self.beside, self.path: self.text(self.records) if content is None else content}
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8", errors="surrogatepass")
        return root


def _answer(**fields: Any) -> dict[str, Any]:
    blank = {"unanswerable": False, "extractive_spans": [], "yes_no": None, "free_form_answer": "", "evidence": []}
    return {"answer": {**blank, **fields}}


def _question(number: int, *answers: dict[str, Any]) -> dict[str, Any]:
    return {"question": f"What of {number}?", "question_id": f"q{number}", "answers": list(answers)}


def _paper(*asked: dict[str, Any]) -> dict[str, Any]:
    sections = [{"section_name": "Intro", "paragraphs": ["The fox ran.", "It was red."]}]
    return {"title": "On foxes", "abstract": "We study foxes.", "full_text": sections, "qas": list(asked)}


PAPERS = {
    "p1": _paper(
        _question(1, _answer(extractive_spans=["red", "quick"], evidence=["It was red."]), _answer(yes_no=True)),
        _question(2, _answer(unanswerable=True)),
    ),
    "p2": _paper(_question(3, _answer(free_form_answer="it ran", evidence=["The fox ran."]))),
}


def _columnar(name: str, paper: Mapping[str, Any]) -> dict[str, Any]:
    sections, asked = paper["full_text"], paper["qas"]
    return {
        "id": name,
        "title": paper["title"],
        "abstract": paper["abstract"],
        "full_text": {key: [one[key] for one in sections] for key in ("section_name", "paragraphs")},
        "qas": {
            "question": [one["question"] for one in asked],
            "question_id": [one["question_id"] for one in asked],
            "answers": [{"answer": [each["answer"] for each in one["answers"]]} for one in asked],
        },
    }


def _meeting(number: int) -> dict[str, Any]:
    turns = [{"speaker": f"Ann{number}", "content": "Shall we buy bread?"}, {"speaker": "Bob", "content": "Yes."}]
    span = [["0", "1"]]
    asked = {"query": f"What did Bob say in {number}?", "answer": "He agreed.", "relevant_text_span": span}
    return {
        "general_query_list": [{"query": "Summarize.", "answer": "They bought bread."}],
        "specific_query_list": [asked] if number == 1 else [],
        "meeting_transcripts": turns,
    }


def _article(number: int, *labels: int) -> dict[str, Any]:
    asked = [
        {
            "question": f"Who {number}{index}?",
            "question_unique_id": f"{number}_{index}",
            "options": OPTIONS,
            "gold_label": label,
            "difficult": index % 2,
        }
        for index, label in enumerate(labels)
    ]
    return {"article_id": f"a{number}", "article": f"{STORY} {number}", "questions": asked}


def _leval(evaluation: str, *answers: str) -> dict[str, Any]:
    asked = [f"Which is {index}?" for index in range(len(answers))]
    return {"input": f"{STORY} {answers[0]}", "instructions": asked, "outputs": list(answers), "evaluation": evaluation}


def _zero(config: str) -> Miniature:
    gold = zero.GOLD.get(config, "Bob left.")
    rows = [zero.row(config, f"{config}-{n}", gold, document=f"{STORY} {n // 2}") for n in range(3)]
    path = f"zero_scrolls/{config}/validation.jsonl"
    return Miniature(f"zeroscrolls_{config}", "validation", path, rows, optional=frozenset({"output"}))


_ASKED = ("d1,valid,Who?,Ann.,Ann", "d1,valid,Why?,So.,Because", "d2,valid,Who?,Bo.,Bo")
QAPS = "\n".join(("document_id,set,question,answer1,answer2", *_ASKED, ""))
SUMMARIES = "document_id,set,summary\nd1,valid,Ann came.\nd2,valid,Bo came.\n"
ENDS = 'document_id,story_start,story_end\nd1,The fox,came home .\nd2,The fox,"home ."\n'
STORIES = {f"narrativeqa/tmp/{name}.content": f"Licence. {STORY} More." for name in ("d1", "d2")}
FLAT = [
    {"_id": name, "question.tokens": f"who is {n} ?", "ground_truths": ["ann .", "ann"], "context.tokens": STORY}
    for n, name in enumerate(("d1", "d1", "d2"))
]
SQUALITY = [
    {
        "metadata": {"passage_id": name},
        "document": f"{STORY} {name}",
        "questions": [
            {"question_text": f"What of {n}?", "question_number": n, "responses": [{"response_text": "It left."}]}
            for n in range(count)
        ],
    }
    for name, count in (("s1", 2), ("s2", 1))
]
MUSIQUE = [
    {
        "id": f"m{n}",
        "paragraphs": [{"title": "Fox", "paragraph_text": f"It is red {n}."}],
        "question": "Who is red?",
        "answer": "the fox",
        "answer_aliases": ["fox"],
        "answerable": n != 1,
    }
    for n in range(3)
]
SCROLLS = [
    {"id": f"q{n}", "pid": f"q{n}_0", "input": f"Who {n}?\n\nAnn: Me. {n // 2}", "output": "Ann did."} for n in range(3)
]
LONGBENCH = [
    {"_id": f"l{n}", "context": f"{STORY} {n // 2}", "input": f"Who {n}?", "answers": ["the fox", "fox"]}
    for n in range(3)
]
QUESTIONS = [
    {"paper_index": n, "qas": [{"question": "Why?", "answer": ["free", ["a", "b"], True], "evidence": ["x"]}] * (2 - n)}
    for n in range(2)
]
QUESTION_DICT = {
    f"q{n}": {"article_id": f"p{n // 2}", "text": "Why?", "extractive_spans": ["red"], "evidence": ["x"]}
    for n in range(3)
}
_ANY_ID = frozenset({"question_id", "section_name", "free_form_answer", "yes_no", "unanswerable", "paragraphs"})
_QUALITY = frozenset({"article_id", "question_unique_id", "difficult", "questions"})

MINIATURES = (
    Miniature("narrativeqa", "validation", "narrativeqa/summaries_qa/dev.json", FLAT, STORIES),
    Miniature("narrativeqa_summary", "validation", "narrativeqa/summaries_qa/dev.json", FLAT),
    Miniature("qasper", "validation", "qasper/qasper-dev-v0.3.json", PAPERS, optional=_ANY_ID),
    Miniature("qasper", "validation", "qasper/dev.jsonl", [_columnar(*p) for p in PAPERS.items()], optional=_ANY_ID),
    Miniature("qasper", "train", "qasper/qasper_train_qas_0.json", QUESTIONS, optional=frozenset({"answer"})),
    Miniature("qasper", "validation", "qasper/qasper_dev_question_dict.json", QUESTION_DICT),
    Miniature(
        "qmsum", "validation", "qmsum/val.jsonl", [_meeting(1), _meeting(2)], optional=frozenset({"relevant_text_span"})
    ),
    Miniature(
        "qmsum",
        "validation",
        "qmsum/data/ALL/val/m1.json",
        _meeting(1),
        documents=1,
        questions=2,
        optional=frozenset({"relevant_text_span"}),
    ),
    Miniature("qmsum", "validation", "qmsum/qmsum/validation.jsonl", SCROLLS),
    Miniature(
        "quality",
        "validation",
        "quality/QuALITY.v1.0.1.htmlstripped.dev",
        [_article(1, 1, 4), _article(2, 2)],
        optional=_QUALITY,
    ),
    Miniature("longbench_narrativeqa", "test", "longbench/narrativeqa.jsonl", LONGBENCH),
    Miniature(
        "leval_tpo", "test", "leval/Closed-ended-tasks/tpo.jsonl", [_leval("exam", "A", "B"), _leval("exam", "C")]
    ),
    Miniature(
        "leval_gsm100", "test", "leval/Closed-ended-tasks/gsm100.jsonl", [_leval("exam", "7", "8"), _leval("exam", "9")]
    ),
    Miniature(
        "leval_coursera",
        "test",
        "leval/Closed-ended-tasks/coursera.jsonl",
        [_leval("exam", "AB", "C"), _leval("exam", "D")],
    ),
    Miniature(
        "leval_sci_fi",
        "test",
        "leval/Closed-ended-tasks/sci_fi.jsonl",
        [_leval("exam", "True [fact: False]", "False [fact: True]"), _leval("exam", "True [fact: True]")],
        questions=6,
    ),
    Miniature(
        "leval_multidoc_qa",
        "test",
        "leval/Open-ended-tasks/multidoc_qa.jsonl",
        [_leval("f1", "Ann", "Bo"), _leval("f1", "Cy"), _leval("LLM", "Dee")],
    ),
    Miniature(
        "leval_news_summ",
        "test",
        "leval/Open-ended-tasks/news_summ.jsonl",
        [_leval("rouge", "It left.", "It came."), _leval("rouge", "They ran.")],
    ),
    *(_zero(config) for config in zero.LAYOUTS),
    Miniature(
        "zeroscrolls-rebuilt_gov_report",
        "test",
        "leval/Open-ended-tasks/gov_report_summ.jsonl",
        [_leval("rouge", "It left."), _leval("rouge", "It ran.")],
        questions=2,
    ),
    Miniature("zeroscrolls-rebuilt_qmsum", "validation", "qmsum/val.jsonl", [_meeting(1), _meeting(2)]),
    Miniature("zeroscrolls-rebuilt_squality", "validation", "squality/dev.jsonl", SQUALITY),
    Miniature("zeroscrolls-rebuilt_qasper", "validation", "qasper/qasper-dev-v0.3.json", PAPERS, optional=_ANY_ID),
    Miniature(
        "zeroscrolls-rebuilt_qasper",
        "validation",
        "qasper/dev.jsonl",
        [_columnar(*p) for p in PAPERS.items()],
        optional=_ANY_ID,
    ),
    Miniature(
        "zeroscrolls-rebuilt_quality",
        "validation",
        "quality/QuALITY.v1.0.1.htmlstripped.dev",
        [_article(1, 1, 4), _article(2, 2)],
        optional=_QUALITY,
    ),
    Miniature(
        "zeroscrolls-rebuilt_musique",
        "validation",
        "musique/musique_full_v1.0_dev.jsonl",
        MUSIQUE,
        documents=3,
        optional=frozenset({"answerable"}),
    ),
    Miniature(
        "zeroscrolls-rebuilt_narrative_qa",
        "validation",
        "narrativeqa/summaries_qa/dev.json",
        FLAT,
        {**STORIES, "narrativeqa/documents.csv": ENDS},
    ),
)
"""Every reader's layouts of JSON; CSV and parquet are tried beside them."""
BY_NAME = {one.name: one for one in MINIATURES}
NARRATIVEQA_CSV = {
    "narrativeqa/qaps.csv": QAPS,
    "narrativeqa/summaries.csv": SUMMARIES,
    "narrativeqa/documents.csv": ENDS,
    **STORIES,
}
