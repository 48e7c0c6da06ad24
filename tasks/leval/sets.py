"""The twenty sets of L-Eval: where each lies, how it is scored, what the paper calls it.

Source: arXiv:2307.11088v3, table 1; OpenLMLab/LEval@cd34b05, LEval-data and Baselines/LEval_config.py.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["closed", "open"]
Metric = Literal["exam", "f1", "rouge"]


@dataclass(frozen=True, slots=True)
class Set:
    """One data set of the suite.

    Attributes:
        name: the file's name without ending, in the official repository.
        kind: closed-ended sets have one right answer, open-ended ones are compared with a reference.
        metric: the rows scored automatically carry this in their field `evaluation`.
        paper_name: what the paper's tables call it.
        documents: documents of the official file (table 1).
        questions: instructions over them (table 1).
    """

    name: str
    kind: Kind
    metric: Metric
    paper_name: str
    documents: int
    questions: int

    @property
    def folder(self) -> str:
        """The official folder the file lies in."""
        return "Closed-ended-tasks" if self.kind == "closed" else "Open-ended-tasks"

    @property
    def run_metric(self) -> str:
        """The argument `--metric` under which the official scripts ask this set."""
        return "exam_eval" if self.metric == "exam" else "ngram_eval"


SETS = (
    Set("tpo", "closed", "exam", "TOEFL", 15, 269),
    Set("gsm100", "closed", "exam", "GSM(16-shot)", 100, 100),
    Set("quality", "closed", "exam", "QuALITY", 15, 202),
    Set("coursera", "closed", "exam", "Coursera", 15, 172),
    Set("topic_retrieval_longchat", "closed", "exam", "TopicRet", 50, 150),
    Set("sci_fi", "closed", "exam", "SFiction", 7, 64),
    Set("codeU", "closed", "exam", "CodeU", 90, 90),
    Set("multidoc_qa", "open", "f1", "MultiDoc2Dial", 20, 136),
    Set("scientific_qa", "open", "f1", "Qasper", 20, 160),
    Set("financial_qa", "open", "f1", "LongFQA", 6, 52),
    Set("natural_question", "open", "f1", "NQ", 20, 104),
    Set("legal_contract_qa", "open", "f1", "CUAD", 20, 130),
    Set("narrative_qa", "open", "f1", "NarrativeQA", 20, 182),
    Set("news_summ", "open", "rouge", "Multi-News", 11, 11),
    Set("gov_report_summ", "open", "rouge", "GovReport", 13, 13),
    Set("patent_summ", "open", "rouge", "BigPatent", 13, 13),
    Set("tv_show_summ", "open", "rouge", "SummScreen", 13, 13),
    Set("paper_assistant", "open", "rouge", "Openreview", 20, 60),
    Set("meeting_summ", "open", "rouge", "QMSum", 20, 156),
    Set("review_summ", "open", "rouge", "SPACE", 20, 120),
)

BY_NAME = {one.name: one for one in SETS}
