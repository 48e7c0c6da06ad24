"""How L-Eval finds the answer in an output of its closed-ended tasks.

Source: OpenLMLab/LEval, Evaluation/auto_eval.py@cd34b05 (GPL-3.0; re-implemented, not copied). Each function gives
what the official rule for one kind of task gives, oddities included; the rules that a reader would expect are in
`leval_corrected`. None means that no answer was found; `fallback` is what the official code scores then.
"""

import re
from itertools import takewhile

LETTERS = "ABCD"
GUESS = "A"
NO_ANSWER = "<error>"

_MARKED_OPTION = re.compile(r"[A-Z](?=[\s.)])")
_OPTION_RUN = re.compile(f"[{LETTERS}]+")
_NOT_AN_OPTION = re.compile(f"[^{LETTERS}]")
_STATED_NUMBER = re.compile(r"The answer is (\S+)")
_SPACE = re.compile(r"\s+")
_BRACKETS = {"] [": "][", "[ [": "[[", "] ]": "]]"}
_CODE_NOISE = (",", "'", "\\", ".0")
_CODE_PHRASES = (  # removed one after the other, wherever they stand: `this` becomes `th`
    "will be",
    "of the code",
    "is",
    "would be",
    "the value of",
    "the result of",
    "printed",
)
_FINAL_OUTPUT = "the final output"
_CODE_WINDOW = 3  # words kept beyond the number of gold words


def fallback(prediction: str) -> str:
    """What stands for an output without an option letter: a fixed guess, or `None` where it is blank."""
    return GUESS if prediction.strip() else "None"


def single_letter(prediction: str) -> str | None:
    """Return, for quality and tpo, the first character that is one of A to D: `According` reads as A."""
    if prediction and prediction in LETTERS:
        return prediction
    return next((char for char in prediction if char in LETTERS), None)


def letter_set(prediction: str) -> str | None:
    """coursera: leading letters if at least two, else the letters followed by a blank, `.` or `)`; sorted, unique."""
    if prediction and prediction in LETTERS:
        return prediction
    leading = "".join(takewhile(LETTERS.__contains__, prediction))
    if len(leading) > 1:
        return _sorted_letters(leading)
    rest = prediction[len(leading) :].split("Question", maxsplit=1)[0]
    marked = _sorted_letters(leading + "".join(_MARKED_OPTION.findall(rest)))
    if marked:
        return marked
    run = _OPTION_RUN.search(rest)
    return run[0] if run else None


def gold_letters(reference: str) -> str | None:
    """The letters A to D of the first word of the gold answer, `A` when it has none; None for a blank answer."""
    words = reference.split()
    return (_NOT_AN_OPTION.sub("", words[0]) or GUESS) if words else None


def number(text: str) -> str:
    """gsm100: the digits, up to the first `.`, of the word after `The answer is `.

    Without that phrase: of the last word with a digit in the first paragraph. Signs and separators are dropped.
    """
    stated = _STATED_NUMBER.search(text)
    word = stated[1] if stated else _last_word_with_digit(text.split("\n\n", maxsplit=1)[0])
    return "".join(char for char in word.split(".")[0] if char.isdigit())


def clean_code(text: str) -> str:
    """codeU: white space, commas, quotes, backslashes and `.0` removed, brackets drawn together."""
    text = _SPACE.sub(" ", text)
    for noise in _CODE_NOISE:
        text = text.replace(noise, "")
    for spaced, joined in _BRACKETS.items():
        text = text.replace(spaced, joined)
    return text


def code_output(prediction: str, reference: str) -> str:
    """codeU: the words after the last `the final output`, else the last ones: three more than the gold answer has."""
    text = clean_code(prediction)
    for phrase in _CODE_PHRASES:
        text = text.replace(phrase, "")
    window = len(reference.split()) + _CODE_WINDOW
    if _FINAL_OUTPUT in text:
        return " ".join(_SPACE.split(text.split(_FINAL_OUTPUT)[-1])[:window])
    return " ".join(_SPACE.split(text)[-window:])


def gold_judgements(reference: str) -> tuple[str, str] | None:
    """sci_fi: loyalty and fact of a gold answer `True [fact: False]`, lower-cased; None when it is not of that form."""
    loyalty, marker, rest = reference.lower().partition("[fact:")
    return (loyalty.strip(), _closed(rest)) if marker else None


def judgements(prediction: str) -> tuple[str, str]:
    """sci_fi: the first word holding `true` or `false` before and after `[fact:`, else `<error>`."""
    loyalty, _, rest = prediction.lower().partition("[fact:")
    return _judgement(loyalty), _judgement(_closed(rest))


def _sorted_letters(text: str) -> str:
    return "".join(sorted(set(_NOT_AN_OPTION.sub("", text))))


def _last_word_with_digit(text: str) -> str:
    words = reversed(text.split(" "))
    return next((word for word in words if any(char.isdigit() for char in word)), "")


def _closed(rest: str) -> str:
    """The fact part without its last character, which is taken to be `]`, and without what a second marker opens."""
    return rest.split("[fact:", maxsplit=1)[0][:-1].strip()


def _judgement(text: str) -> str:
    for word in text.split():
        for value in ("true", "false"):
            if value in word:
                return value
    return NO_ANSWER
