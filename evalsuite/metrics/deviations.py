"""Where the official code raises or depends on chance, and what is returned here instead.

A faulty *prediction* takes the official value of a wrong answer. A faulty *reference* gives None: it is the data that
must be mended, and a silent 0 would blame the model.
"""

from evalsuite.benchmark import Deviation

DEVIATIONS = (
    Deviation(
        "zero_scrolls.accuracy", "the reference has no letter A to D that stands alone", "AssertionError", "None"
    ),
    Deviation("zero_scrolls.exp_similarity", "the reference has no number before a `%`", "ValueError", "None"),
    Deviation(
        "zero_scrolls.exp_similarity",
        "the reference's number has hundreds of digits",
        "0 or nan",
        "None",
    ),
    Deviation(
        "zero_scrolls.concordance_index",
        "the reference has fewer than two ids, and the prediction has the same ids",
        "ZeroDivisionError",
        "None: there is no pair to order",
    ),
    Deviation(
        "zero_scrolls.concordance_index",
        "an id above the number of ids",
        "IndexError",
        "the share of pairs in the right order; ids are only names",
    ),
    Deviation(
        "zero_scrolls.concordance_index",
        "an id that the reference repeats",
        "only its last place is stored; one place stays unset and is still compared",
        "only pairs of different ids are counted, each id at its last place in the prediction",
    ),
    Deviation(
        "zero_scrolls.f1",
        "762 characters of symbol blocks: circled and parenthesised letters and numbers, squared units, chess pieces, "
        "modifier letters, mathematical Greek",
        "Unidecode (GPL) 1.4",
        "the spelling of text-unidecode, or none; all 2,871 characters in the benchmarks' known texts agree",
    ),
    Deviation(
        "qasper.evaluate",
        "an annotation without any answer",
        "KeyError",
        "it is left out, and a question without another annotation, too; without questions the means are None",
    ),
    Deviation(
        "leval.exam",
        "sci_fi prediction without `[fact:`",
        "IndexError",
        "the whole text is the loyalty answer; the fact answer is `<error>` and scores 0",
    ),
    Deviation("leval.exam", "sci_fi reference without `[fact:`", "IndexError", "None for both parts"),
    Deviation("leval.exam", "blank reference of a task with options", "IndexError", "None: there is no gold letter"),
    Deviation(
        "longbench.rouge_score",
        "sentences that are too long for the recursion of the package (about 1,000 words together)",
        "0.0",
        "the true ROUGE-L, computed without recursion",
    ),
    Deviation("longbench.retrieval_score", "the reference names no paragraph", "IndexError", "None"),
    Deviation(
        "*",
        "a sample without any reference",
        "an empty maximum: ValueError, or 0.0 in LongBench",
        "ValueError; readers refuse such a row before it is scored",
    ),
)
"""Every deliberate difference; the fidelity page is made from it."""
