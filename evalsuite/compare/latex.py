"""Tables in LaTeX, in pieces that fit a page of the article class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from textwrap import wrap

from evalsuite.compare.grid import Entry, Grid, Lines, Sheet, chunks

PAGE_WIDTH = 345.0
"""Text width of the article class at 10pt, in points: the narrowest page in common use."""
PAGE_LINES = 44.0
"""Lines of \\footnotesize on a float page, without caption and notes."""
LABEL = 105.0
"""Width of the column of labels, in points; longer ones are broken."""
SEPARATION = 8.0
"""Blanks around a column."""
SMALL = 0.75
"""Size of raised letters."""
HEAD = 14
"""Characters of a line of a heading."""

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "±": r"$\pm$",
    "`": "`{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
_KNOWN = ("", *"\u0300\u0301\u0302\u0303\u0308\u030a\u0327")
"""The accents that every TeX font has: none, grave, acute, circumflex, tilde, diaeresis, ring, cedilla."""


def to_latex(sheet: Sheet) -> str:
    """Floats with booktabs rules. The first line names the packages that they need."""
    tables = [_table(piece) for grid in sheet.grids for piece in pieces(grid)]
    notes = "".join(f"{escaped(note)}\n\n" for note in sheet.notes)
    end = f"{{\\footnotesize\\noindent\n{notes}}}\n" if notes else ""
    return "% \\usepackage{booktabs}\n" + "\n".join(tables) + end


def pieces(grid: Grid) -> Iterator[Grid]:
    """Parts of a table that fit the width and the height of a page."""
    head = max((len(_head(lines)) for lines in grid.heads), default=1)
    heights = [max(_label_lines(label), 1) for label in grid.labels]
    for rows in chunks(heights, PAGE_LINES - head):
        part = grid.part(rows)
        widths = [_column_width(part, at) for at in range(len(part.heads))]
        for columns in chunks(widths, PAGE_WIDTH - LABEL - SEPARATION):
            yield part.columns(columns)


def escaped(text: str) -> str:
    """Text with LaTeX's special characters escaped. A character that some fonts lack becomes its code point."""
    return "".join(map(_character, text)).replace("--", "-{}-")


def _table(grid: Grid) -> str:
    lines = [
        r"\begin{table}[htbp]",
        r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
        f"\\caption{{{_broken(grid.title)}}}",
        f"\\begin{{tabular}}{{@{{}}p{{{LABEL:.0f}pt}}{'r' * len(grid.heads)}@{{}}}}",
        r"\toprule",
        _line([escaped(grid.corner), *(_stacked(_head(lines)) for lines in grid.heads)]),
        r"\midrule",
    ]
    for at, (label, row) in enumerate(zip(grid.labels, grid.rows, strict=True)):
        lines.append(_line([f"\\raggedright {_broken(' '.join(label))}", *map(_entry, row)]))
        if at in grid.ends and at + 1 < len(grid.rows):
            lines.append(r"\addlinespace")
    return "\n".join((*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""))


def _line(texts: Sequence[str]) -> str:
    return " & ".join(texts) + r" \\"


def _entry(entry: Entry) -> str:
    value = escaped(entry.lines[0])
    shown = f"\\textbf{{{value}}}" if entry.best else value
    return f"{shown}\\textsuperscript{{{entry.flags}}}" if entry.flags else shown


def _head(lines: Lines) -> list[str]:
    return [part for line in lines for part in wrap(line, HEAD) or [""]]


def _stacked(lines: Sequence[str]) -> str:
    texts = r" \\{}".join(map(escaped, lines))  # without {} a text that begins with [ or * would be read as an option
    return f"\\shortstack[r]{{{texts}}}" if len(lines) > 1 else texts


def _broken(text: str) -> str:
    """Escaped text. Long names can be broken at some places."""
    return " ".join(_breakable(word) if len(word) > HEAD else escaped(word) for word in text.split(" "))


def _breakable(word: str) -> str:
    return r"\allowbreak{}".join(map(escaped, re.findall(r".{0,9}[-_/.:,]|.{1,10}", word)))


def _label_lines(label: Lines) -> int:
    return 1 + int(1.2 * _text_width(" ".join(label)) / LABEL)


def _column_width(grid: Grid, at: int) -> float:
    entries = [row[at] for row in grid.rows]
    values = [_text_width(entry.lines[0]) + SMALL * _text_width(entry.flags) for entry in entries]
    return SEPARATION + max((*map(_text_width, _head(grid.heads[at])), *values))


def _text_width(text: str) -> float:
    return sum(map(_width, text))


def _width(character: str) -> float:
    """An upper estimate of the width in points, in small bold type."""
    if character in "0123456789.,:;[]()± fijlrt*-":
        return 5.0
    if not character.isascii():
        return 50.0
    return 9.0 if character in "mwMW@%" else 7.5 if character.isupper() else 5.5


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    parts = unicodedata.normalize("NFD", character)
    if parts[0].isascii() and parts[0].isprintable() and parts[1:] in _KNOWN:
        return character
    return f"[U+{ord(character):04X}]"
