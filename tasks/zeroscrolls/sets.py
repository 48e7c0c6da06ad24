"""The ten sets of ZeroSCROLLS: what kind each is, its metric, and how much it may generate.

Source: arXiv:2305.14196v3, table 1; tau-nlp/zero_scrolls@c994676, experiments/api/api.py (generation lengths).
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["summary", "query summary", "question", "choice", "aggregation"]
Metric = Literal["rouge", "f1", "accuracy", "exp_similarity", "concordance_index"]

ALTERNATIVE_MAX_NEW_TOKENS = 1024
"""What the official Hugging Face runner generates at most for every set (experiments/hf/run_hf_model.py)."""


@dataclass(frozen=True, slots=True)
class Set:
    """One data set of the suite.

    Attributes:
        config: name in the official files and in a submission.
        kind: what is asked for; the summary kinds get no request for brevity in chat prompts.
        metric: the official metric.
        max_new_tokens: tokens the official API runner lets the model generate.
        words: mean length of an input, in words.
        test_examples: rows of the official test split.
    """

    config: str
    kind: Kind
    metric: Metric
    max_new_tokens: int
    words: int
    test_examples: int

    @property
    def is_summary(self) -> bool:
        """Whether the official API runner treats the set as summarisation."""
        return self.metric == "rouge"


SETS = (
    Set("gov_report", "summary", "rouge", 1024, 7273, 500),
    Set("summ_screen_fd", "summary", "rouge", 512, 5663, 337),
    Set("qmsum", "query summary", "rouge", 512, 10839, 281),
    Set("squality", "query summary", "rouge", 512, 4971, 260),
    Set("qasper", "question", "f1", 128, 3531, 500),
    Set("narrative_qa", "question", "f1", 64, 49384, 500),
    Set("quality", "choice", "accuracy", 10, 4248, 500),
    Set("musique", "question", "f1", 32, 1749, 500),
    Set("space_digest", "aggregation", "exp_similarity", 36, 5481, 500),
    Set("book_sum_sort", "aggregation", "concordance_index", 256, 6840, 500),
)

BY_CONFIG = {one.config: one for one in SETS}
