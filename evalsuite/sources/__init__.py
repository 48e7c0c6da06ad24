"""Where data comes from: a local folder in the publisher's layout, or the Hugging Face hub; never a dataset script."""

from __future__ import annotations

import os
from pathlib import Path

from evalsuite.errors import UsageError
from evalsuite.sources.cache import Cache
from evalsuite.sources.folder import FolderSource
from evalsuite.sources.hub_source import HubSource, not_on_hub
from evalsuite.sources.inventory import Inventory, data_fetch, data_list, data_verify, inventory
from evalsuite.task import Dataset

__all__ = [
    "Cache",
    "FolderSource",
    "HubSource",
    "Inventory",
    "data_fetch",
    "data_list",
    "data_verify",
    "inventory",
    "open_source",
]


def open_source(
    dataset: Dataset,
    root: Path | None,
    *,
    split: str,
    task: str = "",
    mirror: Path | None = None,
    optional: bool = False,
) -> FolderSource | HubSource:
    """The files of a dataset.

    Args:
        dataset: what is wanted and where it comes from.
        root: the data folder (``--data``); None uses ``EVALSUITE_DATA``, else the hub.
            If it has a folder for the dataset, this one is used, else ``root`` itself.
        split: the split to read. From the hub, only its files are fetched.
        task: the name under which files are recorded; if empty, the dataset's folder.
        optional: for a task that generates documents: a missing folder is an error only if a file is needed.
        mirror: a folder with the hub's files; None uses ``EVALSUITE_MIRROR``, else the hub.

    Raises:
        UsageError: the folder does not exist, or there is none and the data is not on the hub.
    """
    if root is None and os.environ.get("EVALSUITE_DATA"):
        root = Path(os.environ["EVALSUITE_DATA"])
    if root is None:
        if not dataset.hub and not optional:
            raise not_on_hub(dataset, split)
        return HubSource(dataset, split, Cache(mirror=mirror), task or dataset.folder)
    if not root.is_dir():
        raise UsageError(f"data folder {root} does not exist; give an existing one with --data or EVALSUITE_DATA")
    return FolderSource(dataset, root, task or dataset.folder)
