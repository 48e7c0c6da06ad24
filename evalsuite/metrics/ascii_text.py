"""Text written in ASCII as ZeroSCROLLS' scorer writes it before it counts words.

The official code takes Unidecode (GPL), which is not used here: text-unidecode spells nearly every character alike.
What differs was observed by giving Unidecode 1.4 single characters, all those that occur in the benchmarks' texts.
"""

import unicodedata

_UNKNOWN = "[?]"
"""What text-unidecode writes for a character it does not know; Unidecode leaves such a character out."""
_LETTERS = range(0x1D400, 0x1D800)
"""Mathematical letters and digits (bold, script, ...), which only Unidecode knows."""
_OBSERVED = {
    "\N{VULGAR FRACTION ONE QUARTER}": " 1/4",
    "\N{VULGAR FRACTION ONE HALF}": " 1/2",
    "\N{VULGAR FRACTION THREE QUARTERS}": " 3/4",
    "\N{LATIN SMALL LETTER ENG}": "ng",
    "\N{CYRILLIC SMALL LETTER HARD SIGN}": "'",
    "\N{HEBREW POINT SHEVA}": "",
    "\N{HEBREW POINT DAGESH OR MAPIQ}": "",
    "\N{HEBREW PUNCTUATION MAQAF}": "-",
    "\N{HEBREW LETTER ALEF}": "A",
    "\N{HEBREW LETTER HET}": "H",
    "\N{HEBREW LETTER TET}": "T",
    "\N{HEBREW LETTER FINAL KAF}": "KH",
    "\N{HEBREW LETTER KAF}": "KH",
    "\N{HEBREW LETTER FINAL TSADI}": "TS",
    "\N{HEBREW LETTER TSADI}": "TS",
    "\N{HEBREW LETTER QOF}": "k",
    "\N{HEBREW LETTER SHIN}": "SH",
    "\N{MODIFIER LETTER SMALL B}": "b",
    "\N{PESO SIGN}": "P",
    "\N{INDIAN RUPEE SIGN}": "Rs",
    "\N{SCRIPT SMALL L}": "l",
    "\N{TRADE MARK SIGN}": "(tm)",
    "\N{MINUS SIGN}": "-",
    "\N{ASTERISK OPERATOR}": "*",
    "\N{DIVIDES}": "|",
    "\N{TILDE OPERATOR}": "~",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{GREATER-THAN OVER EQUAL TO}": ">=",
    "\N{UP ARROWHEAD}": "^",
    "\N{LEFT-POINTING ANGLE BRACKET}": "<",
    "\N{RIGHT-POINTING ANGLE BRACKET}": "> ",
    "\N{BLACK SPADE SUIT}": "spades",
    "\N{WHITE HEART SUIT}": "hearts",
    "\N{BLACK HEART SUIT}": "hearts",
    "\N{MATHEMATICAL LEFT ANGLE BRACKET}": "<",
    "\N{MATHEMATICAL RIGHT ANGLE BRACKET}": "> ",
    "\N{HIRAGANA LETTER SI}": "shi",
    "\N{HIRAGANA LETTER TI}": "chi",
    "\N{HIRAGANA LETTER SMALL TU}": "tsu",
    "\N{KATAKANA LETTER SI}": "shi",
    "\N{KATAKANA LETTER SMALL TU}": "tsu",
    "\N{KATAKANA LETTER TU}": "tsu",
    "\N{KATAKANA MIDDLE DOT}": "*",
    "\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}": "-",
}
"""Characters of the benchmarks' texts that the two packages spell differently, as Unidecode spells them."""


def ascii_text(text: str) -> str:
    """The text in ASCII: letters without accents, symbols in words, unknown characters left out."""
    return text if text.isascii() else "".join(map(_spelled, text))


def _spelled(character: str) -> str:
    from text_unidecode import unidecode

    if character in _OBSERVED:
        return _OBSERVED[character]
    if ord(character) in _LETTERS:
        plain = unicodedata.normalize("NFKC", character)
        return plain if plain.isascii() else ""
    spelled = str(unidecode(character))
    return "" if spelled.strip() == _UNKNOWN else spelled
