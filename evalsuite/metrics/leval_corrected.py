"""L-Eval's closed-ended tasks with the extraction that a reader would expect: our own rules, under their own name.

The official rules (`leval_extraction`) read `According to the text, B` as A, `Answer: C` as A and `-18` as 18, give a
quarter point to an empty answer and guess A where there is none. Here an answer must stand for itself, and none found
scores 0. Not comparable with published figures; the distance between both is what the official extraction costs.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from evalsuite.metrics.leval import BY_POSITION, PARTIAL_CREDIT, SCORED_TWICE, ExamScore
from evalsuite.metrics.normalise import normalise

# One or several option letters, `A`, `(B)`, `A, C and D` or `ABD`, that no word or apostrophe continues.
_OPTIONS = r"\W*+\b([A-D]{1,4}\b(?!['’])(?:(?:[\s,.;:()&/*]|\band\b|\bor\b)+[A-D]{1,4}\b(?!['’]))*)"  # noqa: RUF001
_STATED_OPTIONS = re.compile(rf"\b[Aa]nswers?\b(?:\s++(?:is|are|would be|should be))?(?:[\s:]*+options?\s)?{_OPTIONS}")
_LEADING_OPTIONS = re.compile(rf"^{_OPTIONS}(?!\s+[a-z])")
# A letter with a mark behind it, and all before it that is no word: it must begin a line, or follow `and`, `,` or `;`.
_MARKED_OPTION = re.compile(r"(?<!\W)(\W*+)([A-D])(?=[.):])")
_OPENS_MARKED = re.compile(r"(?:and\s)?\W*+[A-D][.):]")
_BREAK = re.compile(r"\n|[,;]\s")
_AND = re.compile(r"\band\s")
_LONE_OPTION = re.compile(r"\b[B-D]\b(?!['’])|\bA\b(?!['’]|\s+[a-z])")  # noqa: RUF001 - the article A is no option
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?|-?\.\d+")
_STATED_ANSWER = re.compile(r"\banswer\s*(?:is|:)", re.IGNORECASE)
_OUTPUT = re.compile(r"\boutput\b(?:\s+of\s+the\s+code)?\s*(?:is|will be|would be)?\s*:?", re.IGNORECASE)
_QUOTES = re.compile(r"['\"`\\]")
_SEPARATORS = re.compile(r"[\s,]+")
_JUDGEMENT = re.compile(r"\b(true|false)\b", re.IGNORECASE)
_FACT = re.compile(r"\[fact:", re.IGNORECASE)


def exam(task: str, prediction: str, reference: str) -> tuple[ExamScore, ...]:
    """Extract the answer by the corrected rules of `task` and compare it.

    Returns:
        One score, for sci_fi two: loyalty and fact. `found` is False, and the value 0, where there is no answer.
    """
    if SCORED_TWICE in task:
        return _score_twice(prediction, reference)
    rule = next((found for part, found in _RULES.items() if part in task), _equal_texts)
    return (rule(prediction, reference),)


def options(text: str) -> str | None:
    """The option letters of an answer, sorted.

    Those that mark its parts when it opens with a mark (`A. ...`), else those stated after `answer`, else those that
    it opens with, else lone ones.
    """
    if _OPENS_MARKED.match(text):
        return "".join(sorted({found[2] for found in _MARKED_OPTION.finditer(text) if _begins_a_part(text, found)}))
    stated = _STATED_OPTIONS.search(text) or _LEADING_OPTIONS.search(text)
    letters = stated[1] if stated else "".join(_LONE_OPTION.findall(text))
    return "".join(sorted(set(letters) & set("ABCD"))) or None


def _begins_a_part(text: str, marked: re.Match[str]) -> bool:
    """Whether a marked letter stands at the start of the text or a line, or behind `and`, a comma or a semicolon."""
    start = marked.start()
    before = start >= len("and") and _AND.match(text, start - len("and"))
    return start == 0 or bool(before) or _BREAK.search(marked[1]) is not None


def option(text: str) -> str | None:
    """The one option letter of an answer; None where there is none, or several without a first choice."""
    found = options(text)
    if found is None or len(found) == 1:
        return found
    leading = re.match(r"\W*([A-D])(?:[.):,]|\s*$)", text)
    return leading[1] if leading else None


def number(text: str) -> str | None:
    """The first number after the last `answer is`, else the last number; sign and decimals count, commas do not."""
    stated = _NUMBER.search(text, _end_of_last(_STATED_ANSWER, text))
    numbers = [stated[0]] if stated and _STATED_ANSWER.search(text) else _NUMBER.findall(text)
    if not numbers:
        return None
    return f"{Decimal(numbers[-1].replace(',', '')).normalize():f}"


def _output(text: str) -> str:
    """What follows the last `output`, else the last paragraph."""
    end = _end_of_last(_OUTPUT, text)
    return text[end:] if end and text[end:].strip() else text.strip().split("\n\n")[-1]


def _end_of_last(pattern: re.Pattern[str], text: str) -> int:
    return max((found.end() for found in pattern.finditer(text)), default=0)


def _code(text: str) -> str:
    """A literal without quotes and without style in its separators: `[6, 15]` becomes `[6 15]`."""
    text = _SEPARATORS.sub(" ", _QUOTES.sub("", text)).strip().lower()
    return re.sub(r"(?<=[\[{(]) | (?=[\]})])|(?<=\]) (?=\[)", "", text)


def _score_code(prediction: str, reference: str) -> ExamScore:
    answer, gold = _code(_output(prediction)), _code(reference)
    if not gold.startswith("["):
        answer = _without_lists(answer)  # a number inside a list is not the output
    return _contained(answer, gold)


def _without_lists(line: str) -> str:
    """A line without what stands between its first opening and its last closing bracket."""
    start, end = line.find("["), line.rfind("]")
    return f"{line[:start]} {line[end + 1 :]}" if 0 <= start < end else line


def _letters(answer: str | None, gold: str | None) -> ExamScore:
    score = _equal(answer, gold)
    if answer and gold and set(answer) < set(gold):
        return ExamScore(answer, gold, PARTIAL_CREDIT)
    return score


def _equal(answer: str | None, gold: str | None) -> ExamScore:
    value = None if gold is None else float(answer == gold)
    return ExamScore(answer or "", gold or "", value, bool(answer))


def _contained(answer: str, gold: str) -> ExamScore:
    """1 when the gold answer stands in the answer and no word or number runs on at its ends."""
    if not gold:
        return ExamScore(answer, gold, None, bool(answer))
    whole = re.search(rf"(?<![\w.-]){re.escape(gold)}(?![\w]|\.\d)", answer)
    return ExamScore(answer, gold, float(whole is not None), bool(answer))


def _score_twice(prediction: str, reference: str) -> tuple[ExamScore, ...]:
    pairs = zip(_judgements(prediction), _judgements(reference), strict=True)
    return tuple(_equal(answer, gold) for answer, gold in pairs)


def _judgements(text: str) -> tuple[str | None, str | None]:
    """Loyalty and fact: the first whole word true or false before and after `[fact:`."""
    loyalty, *rest = _FACT.split(text, maxsplit=1)
    return _judgement(loyalty), _judgement("".join(rest))


def _judgement(text: str) -> str | None:
    found = _JUDGEMENT.search(text)
    return found[1].lower() if found else None


def _equal_texts(prediction: str, reference: str) -> ExamScore:
    return _equal(normalise(prediction), normalise(reference))


_RULES: Mapping[str, Callable[[str, str], ExamScore]] = {
    "coursera": lambda prediction, reference: _letters(options(prediction), options(reference)),
    "quality": lambda prediction, reference: _equal(option(prediction), option(reference)),
    "tpo": lambda prediction, reference: _equal(option(prediction), option(reference)),
    "gsm": lambda prediction, reference: _equal(number(prediction), number(reference)),
    "codeU": _score_code,
    BY_POSITION: lambda prediction, reference: _contained(normalise(prediction), normalise(reference)),
}
"""Part of a task's name -> how its answers are scored; other tasks compare normalised texts."""
