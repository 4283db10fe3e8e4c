"""What holds of the notebooks and the ledger as a whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lecture_code.display import claims

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


def cells(notebook: Path, kind: str) -> list[dict[str, Any]]:
    """The cells of that kind."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return [cell for cell in content["cells"] if cell["cell_type"] == kind]


def stored_claims(notebook: Path) -> list[dict[str, Any]]:
    """The claims that the notebook's outputs hold."""
    outputs = [output for cell in cells(notebook, "code") for output in cell["outputs"]]
    return [o["data"][claims.MIME] for o in outputs if claims.MIME in o.get("data", {})]


def test_every_statement_of_the_ledger_is_claimed_in_its_chapter() -> None:
    claimed = {(book.stem, claim["id"]) for book in NOTEBOOKS for claim in stored_claims(book)}
    listed = {(row.chapter, row.id) for row in claims.ledger().values()}
    assert listed == claimed


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_cell_fits_on_a_screen(notebook: Path) -> None:
    sizes = ["".join(cell["source"]).splitlines() for cell in cells(notebook, "code")]
    assert max(map(len, sizes)) <= 20
    assert max(len(line) for lines in sizes for line in lines) <= 92


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_has_its_parts(notebook: Path) -> None:
    text = "\n".join("".join(cell["source"]) for cell in cells(notebook, "markdown"))
    assert "**After this chapter you can**" in text
    for part in ("## Exercises", "## Summary", "## Notes"):
        assert part in text
    assert text.count("{exercise}") == text.count("{solution}") + text.count("{solution-start}")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_of_figures_say_what_is_seen(notebook: Path) -> None:
    for cell in cells(notebook, "code"):
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                assert "<figcaption" in "".join(data["text/html"]), "a figure without a caption"


def test_every_page_is_in_the_table_of_contents() -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = {toc["root"]} | {c["file"] for part in toc["parts"] for c in part["chapters"]}
    pages = {f"book/{page.stem}" for page in (ROOT / "book").glob("[a-z]*.[mi][dp]*")}
    assert listed == pages


@pytest.mark.parametrize("command", [["check"], ["format", "--diff"]], ids=" ".join)
def test_the_code_is_clean(command: list[str]) -> None:
    """Modules and notebooks; to see the same by hand, `ruff check` and `ruff format`."""
    ruff = [sys.executable, "-m", "ruff", *command]
    result = subprocess.run(ruff, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
