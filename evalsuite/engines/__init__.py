"""Engines: programs that run language models over token ids (``evalsuite.types.Engine``)."""
