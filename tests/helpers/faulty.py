"""The toy task with one thing wrong, written as a plug-in of its own beside the sound one."""

from __future__ import annotations

from pathlib import Path

from made import TOY

SOUND = (TOY / "toy" / "task.py").read_text()


def faulty(root: Path, *changes: tuple[str, str], name: str = "faulty") -> Path:
    """Writes the toy task under another name with some text replaced, and gives the ``--include-path`` back."""
    source = SOUND.replace('name="toy"', f'name="{name}"')
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    path = root / "plug-ins" / name / "task.py"
    path.parent.mkdir(parents=True)
    path.write_text(source)
    return path.parents[1]
