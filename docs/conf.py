"""The docs site, made by Sphinx from the same Markdown that reads well without it: ``nox -s docs``."""

import re
from typing import Any

from evalsuite import __version__
from evalsuite.fidelity.page import from_tasks

project = "evalsuite"
author = "the evalsuite maintainers"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"evalsuite {__version__}"
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": False}
nitpicky = False  # types of other packages have no page here; links between pages are checked all the same


def setup(app: Any) -> None:
    """Completes pages; links that leave the guide lead into the repository, on the site their text stands alone."""
    app.connect("source-read", _add_tasks)
    app.connect("source-read", _unlink)


def _add_tasks(app: Any, page: str, source: list[str]) -> None:
    """The page on fidelity ends with what the task folders say, so that a new task is on it without an edit."""
    del app
    if page == "fidelity":
        source[0] += "\n" + from_tasks()


def _unlink(app: Any, page: str, source: list[str]) -> None:
    del app, page
    source[0] = re.sub(r"\[([^\]]+)\]\(\.\./[^)]*\)", r"\1", source[0])
