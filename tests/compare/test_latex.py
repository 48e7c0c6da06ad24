"""LaTeX tables compile, fit their page, and show hostile names as they are."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from table_cells import CELL, HOSTILE, many

from evalsuite.cells import Cell
from evalsuite.compare.formats import render

LONG = "Llama-2-7b-long-context-continued-pretraining-rope500k-step-12000"
NAMES = (*HOSTILE, "modèle_é", "模型", "\U0001f600", "a--b?`", '"q\' "*', LONG, "W" * 150, "x" * 100_000)


def _tables() -> dict[str, tuple[list[Cell], Any]]:
    wide = [replace(cell, model=f"{cell.model} {LONG}", value=100.0, stderr=0.0) for cell in many(60, "abcdefg")]
    hostile = [
        replace(CELL, model=name, task=f"{name} {at}", suite=name, shots=shots)
        for at, name in enumerate(NAMES)
        for shots in (0, 1)
    ]
    down = [
        replace(CELL, model=f"model {number}", max_prompt_tokens=cap) for number in range(90) for cap in range(1, 9)
    ]
    return {
        "wide": (wide, "auto"),
        "hostile": (hostile, "tables"),
        "hostile wide": (hostile, "wide"),
        "down": (down, "auto"),
    }


@pytest.mark.parametrize("name", list(_tables()))
def test_tables_compile_and_fit_their_page(tmp_path: Path, name: str) -> None:
    tex = shutil.which("pdflatex")
    if tex is None:
        pytest.skip("no TeX here; texlive-latex-base and texlive-latex-extra bring it")
    cells, layout = _tables()[name]
    body = render(cells, "latex", layout=layout)
    text = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n" + body + "\\end{document}\n"
    # LaTeX holds few floats at a time: a page for each is the strictest there is.
    (tmp_path / "table.tex").write_text(
        text.replace("[htbp]", "[p]").replace("\\end{table}", "\\end{table}\\clearpage")
    )
    done = subprocess.run(
        [tex, "-interaction=nonstopmode", "-halt-on-error", "table.tex"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "table.log").read_text(errors="replace")
    assert re.findall(r"Overfull|too large for page|Missing character", log) == []


def test_every_value_and_the_best_one_is_in_some_piece() -> None:
    shown = render(many(60, "abcdefg"), "latex")
    assert shown.count("\\begin{table}") > 2
    assert len(re.findall(r"\d\.\d \$\\pm\$ 1\.3", shown)) == 60 * 7
    assert shown.count("\\textbf{") == 60


def test_what_no_font_has_is_named_by_its_code_point() -> None:
    shown = render([replace(CELL, model="模é")], "latex")
    assert "[U+6A21]é" in shown


def test_counts_stand_as_letters_with_what_they_mean() -> None:
    shown = render([replace(CELL, demonstrations_lost=9, shots=2)], "latex")
    assert "\\textsuperscript{cDeou}" in shown
    assert "d: prompts lost demonstrations to the cut" in shown
