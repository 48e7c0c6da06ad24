"""The words of the miniature world: each is one token, so that a very small model can read it.

A fact names something: "the baker Milan". The noun is its key, the name its value; the value stands right behind
its key, which is what a model of a few layers can learn to look up.
"""

from __future__ import annotations

from itertools import product


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in text.split("|"))


PEOPLE = _words(
    """baker miller weaver potter tanner smith mason carpenter cooper tailor cobbler butcher brewer farmer shepherd
    fisher sailor captain pilot ferryman hunter trapper forester gardener beekeeper shopkeeper innkeeper cook servant
    nurse doctor surgeon healer midwife priest monk nun abbot bishop sexton teacher scholar scribe clerk notary lawyer
    judge sheriff bailiff mayor governor duke baron knight squire soldier sergeant colonel guard watchman jailer spy
    thief beggar pilgrim minstrel piper drummer fiddler harper singer dancer juggler actor painter sculptor poet
    printer bookseller glazier plumber roofer thatcher wheelwright saddler groom coachman porter messenger courier
    herald merchant peddler banker jeweller goldsmith locksmith clockmaker chandler dyer fuller spinner"""
)
THINGS = _words(
    """ship boat barge raft ferry canoe schooner frigate horse mare pony donkey mule dog hound cat goat cow falcon
    parrot inn tavern hotel farm mill forge bakery brewery abbey chapel church temple tower castle fort manor palace
    cottage school library theatre museum market bridge lane street square harbour pier lighthouse island lake pond
    brook bay cape hill mountain canyon desert forest grove meadow moor marsh village town city district province
    county kingdom mine quarry cave sword bell clock flag book song dance play poem newspaper comet star moon planet
    statue fountain garden park orchard vineyard"""
)
KEYS = PEOPLE + THINGS
NAMES = tuple(
    head + tail
    for head, tail in product(
        _words("Al Bel Cor Dar El Fen Gal Hul Ist Jor Kel Lor Mir Nor Ost"),
        _words("aban evin idor ona umar esta illo athi orin ugan eda ysse"),
    )
)

# Openings and predicates of sentences; none of their words is a key or a name.
OPENINGS = _phrases(
    """That morning|That evening|In winter|In summer|In autumn|After supper|After dark|Before dawn|Long ago|
    Some years later|As expected|In those days|At last|Once more|By then|On Sunday"""
)
WEATHER = ("the wind", "the rain", "the snow", "the fog", "the frost", "the sun", "the dust", "the silence", "the heat")
PREDICATES = _phrases(
    """was praised by all|was seen near the gate|was known to everyone|was left behind|was spoken of for weeks|
    was on every mind|was hardly noticed|came to mind again|was missed by many|was a welcome sight|
    was talked about at length|was soon forgotten|was thought of with care|was remembered well"""
)
SPEAKERS = ("Chair", "Secretary", "Guest", "Treasurer", "Visitor")
REMARKS = ("I think", "I hear that", "As noted,", "I agree that", "To be clear,", "We all know that", "They say that")
STUDIES = ("We describe", "We measure", "We examine", "We compare", "We report on", "Our survey covers", "We revisit")
SUBJECTS = ("the weather", "earlier work", "the method", "our budget", "the outcome", "the schedule", "the sample")
MANNERS = ("in detail", "with care", "as before", "at length", "in a second round", "without change", "in this part")
SECTIONS = ("Introduction", "Method", "Results", "Discussion", "Conclusion")
TITLES = ("A survey of names", "Notes on names", "A study of names", "Names in the field", "Names revisited")
ABSTRACT = "In this paper we list names in the field."

UNANSWERABLE, YES, NO = "Unanswerable", "Yes", "No"
LETTERS = ("A", "B", "C", "D")
