"""What a command says: results on standard output, remarks on standard error, both written to a log where asked."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

_LOG = logging.getLogger("evalsuite")
"""Remarks are INFO, errors ERROR; DEBUG is what only ``-v`` and a log file show."""

FORMAT = "%(asctime)s %(levelname)s %(message)s"


def say(text: str, end: str = "\n") -> None:
    """Prints a result; a reader that went away (``| head``) is no error and stops no work."""
    _write(sys.stdout, text + end)


def tell(text: str) -> None:
    """Prints a remark on standard error, in the same way; not under ``--quiet``."""
    _LOG.info("%s", text)


def complain(text: str) -> None:
    """Prints an error on standard error, whatever else is said."""
    _LOG.error("%s", text)


def log(text: str) -> None:
    """Writes what is not for the terminal, which shows it otherwise, to the log file."""
    _LOG.info("%s", text, extra={"shown": True})


def quiet() -> bool:
    """Whether only errors and results are said."""
    return any(isinstance(handler, _Terminal) and handler.level > logging.INFO for handler in _LOG.handlers)


def add_logging(parser: argparse.ArgumentParser) -> None:
    """``--log-file``, ``-v`` and ``-q``."""
    group = parser.add_argument_group("messages")
    group.add_argument("--log-file", metavar="FILE", help="append all messages to this file, with times")
    how = group.add_mutually_exclusive_group()
    how.add_argument("-v", "--verbose", action="store_true", help="print more: every document and every failed request")
    how.add_argument("-q", "--quiet", action="store_true", help="print only results and errors")


def start_logging(args: argparse.Namespace | None = None) -> None:
    """Sends remarks where the options say; without options to standard error.

    Raises:
        OSError: the log file cannot be written.
    """
    for handler in list(_LOG.handlers):
        _LOG.removeHandler(handler)
        handler.close()
    _LOG.propagate = False
    _LOG.setLevel(logging.DEBUG)
    terminal = _Terminal()
    terminal.setLevel(logging.INFO)
    _LOG.addHandler(terminal)
    if args is None:
        return
    if args.verbose or args.quiet:
        terminal.setLevel(logging.DEBUG if args.verbose else logging.ERROR)
    if args.log_file is not None:
        file = _File(Path(args.log_file), encoding="utf-8", errors="replace")
        file.setFormatter(logging.Formatter(FORMAT))
        _LOG.addHandler(file)


def show_what_can_be_shown() -> None:
    """Lets a stream that cannot show a character show ``?`` in its place, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


class _Terminal(logging.Handler):
    """Standard error, whatever it is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "shown", False):
            _write(sys.stderr, record.getMessage() + "\n", may_fail=False)


class _File(logging.FileHandler):
    """A log file; a full disk loses its lines, not the run."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        del record


def _write(stream: TextIO | None, text: str, *, may_fail: bool = True) -> None:
    """Writes and flushes.

    Raises:
        OSError: the stream takes nothing (a full disk), and the text is a result.
    """
    if stream is None:  # closed by the caller (2>&-)
        return
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _give_up(stream)
    except OSError:
        _give_up(stream)
        if may_fail:
            raise


def _give_up(stream: TextIO) -> None:
    """Points a stream at nothing: Python would complain again at exit about what it still holds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
