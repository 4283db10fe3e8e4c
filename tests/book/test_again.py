"""Cells survive being run again: after Run All each cell, by itself, shows what it showed.

A name that two sections use for different things breaks this: who goes back to an earlier cell
sees an error, a theorem that "does not hold", or another figure. So outputs are compared too, and
a cell that draws random numbers makes its own generator.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
RUNNER = Path(__file__).with_name("second_run.py")


def second_run(notebook: Path, scratch: Path, *options: str) -> dict[str, str]:
    """What is wrong when a cell runs once more after all of them, by its id."""
    settings = {"MPLBACKEND": "agg", "IPYTHONDIR": str(scratch), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, RUNNER, notebook, *options]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.again
@pytest.mark.parametrize(
    "options", [[], pytest.param(["--every"], marks=pytest.mark.weekly)], ids=["changed", "every"]
)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_cell_shows_the_same_when_run_again_by_itself(
    notebook: Path, options: list[str], tmp_path: Path
) -> None:
    """Those that find another meaning of a name; all, whatever they find, every week."""
    found = second_run(notebook, tmp_path, *options)
    fail = [f"cell {cell}: {problem}" for cell, problem in found.items()]
    assert not fail, "\n".join([*fail, "Give what this section and a later one share two names."])


def test_a_name_with_two_meanings_is_noticed(tmp_path: Path) -> None:
    sources = {
        "sets": "n, seen, odd = 1, [], (i for i in [1])\ndef twice():\n    return 2 * n",
        "shows": "print(n)",
        "calls": "k = twice()\nk",
        "loops": "for k in range(n):\n    print(k)",
        "keeps": "k = 5\nif n > 1:\n    n = 1\nk",
        "fails": "[0, 0][n]",
        "ends": "next(odd)",
        "dies": "if n == 2:\n    import os\n    os._exit(3)",
        "adds": "seen.append(n)\nlen(seen)",
        "last": "n = 2",
    }
    cells = [
        {"cell_type": "code", "id": name, "metadata": {}, "outputs": [], "source": [text]}
        for name, text in sources.items()
    ]
    notebook = tmp_path / "two.ipynb"
    notebook.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    found = second_run(notebook, tmp_path)
    assert found.keys() == {"shows", "calls", "loops", "fails", "ends", "dies", "adds"}
    assert found["shows"] == "it shows '2\\n', before '1\\n'"
    assert found["fails"] == "IndexError: list index out of range"
