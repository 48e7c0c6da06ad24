"""Where the official code raises or depends on chance, and what is returned here instead.

A faulty *prediction* takes the official value of a wrong answer. A faulty *reference* gives None: it is the data that
must be mended, and a silent 0 would blame the model.
"""

from evalsuite.benchmark import Deviation

DEVIATIONS = (
    Deviation("zero_scrolls.accuracy", "the reference holds no letter A to D of its own", "AssertionError", "None"),
    Deviation("zero_scrolls.exp_similarity", "the reference holds no number before a `%`", "ValueError", "None"),
    Deviation(
        "zero_scrolls.exp_similarity",
        "the reference's number has hundreds of digits",
        "0 or nan",
        "None",
    ),
    Deviation(
        "zero_scrolls.concordance_index",
        "the reference holds fewer than two ids and the prediction the same ones",
        "ZeroDivisionError",
        "None: there is no pair to order",
    ),
    Deviation(
        "zero_scrolls.concordance_index",
        "an id above the number of ids",
        "IndexError",
        "ids are names: the share of pairs in order, whatever the numbers",
    ),
    Deviation(
        "zero_scrolls.concordance_index",
        "an id that the reference repeats",
        "its last place stands for all, one unset place joins the pairs",
        "pairs of distinct ids, the last place of each in the prediction",
    ),
    Deviation(
        "zero_scrolls.f1",
        "762 characters of symbol blocks: circled and parenthesised letters and numbers, squared units, chess pieces, "
        "modifier letters, mathematical Greek",
        "Unidecode (GPL) 1.4",
        "text-unidecode's spelling or none; all 2,871 characters of the benchmarks' texts at hand agree",
    ),
    Deviation(
        "qasper.evaluate",
        "an annotation without any answer",
        "KeyError",
        "the annotation is left out, so is a question without another; no question left: means are None",
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
        "sentences too long for the package's recursion (about 1,000 words together)",
        "0.0",
        "the ROUGE-L that the recursion would have reached",
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
