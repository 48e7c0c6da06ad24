"""Requests for tests of engines."""

from evalsuite.types import Cut, Decoding, Request


def request(prompt, *, key=None, document="d", max_new_tokens=4, stop=(), options=()):
    """A request of these token ids."""
    prompt = tuple(prompt)
    key = key or f"{document}-{hash((prompt, options, max_new_tokens)) & 0xFFFFFFFF:x}"
    cut = Cut("left", None, len(prompt), "model", len(prompt), len(prompt))
    decoding = Decoding(0 if options else max_new_tokens, tuple(stop))
    return Request(key, "cell", key, document, key, prompt, decoding, cut, tuple(map(tuple, options)))
