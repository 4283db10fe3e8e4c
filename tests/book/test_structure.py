"""What holds of the notebooks and the ledger as a whole."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from companion import Chapter
from pybtex.database import parse_file
from sphinx_external_toc.parsing import parse_toc_yaml

from lecture_code.display import claims, evidence, explore, live, plotting

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
CHAPTERS = {notebook.stem for notebook in NOTEBOOKS}
LAST = "the_case"  # a page that only looks back
MAY_COLLIDE = Path(__file__).with_name("collisions.toml")

ADDRESS = {
    "doi": r"10\.\d{4,}/\S+",
    "eprint": r"\d{4}\.\d{4,5}|[a-z-]+/\d{7}",
    "url": r"https://\S+",
}


def every(notebook: Path) -> list[dict[str, Any]]:
    """All cells."""
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def cells(notebook: Path, kind: str) -> list[dict[str, Any]]:
    """The cells of that kind."""
    return [cell for cell in every(notebook) if cell["cell_type"] == kind]


def imported(path: Path) -> set[str]:
    """The modules of the project that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return {name for name in names if name.startswith("lecture_code.")}


def test_the_rooms_are_apart() -> None:
    """Mathematics never imports what a cell shows, nor a chapter's module another chapter's."""
    chapters = {f"lecture_code.{notebook.stem}" for notebook in NOTEBOOKS}
    for path in (ROOT / "lecture_code").rglob("*.py"):
        own = "lecture_code." + path.stem
        assert not imported(path) & (chapters - {own}), path.name
        if path.parent.name != "display":
            assert not {name for name in imported(path) if ".display" in name}, path.name


def test_every_statement_stands_in_its_chapter_under_its_title() -> None:
    """Behind the title a block may name the place in the source, after a semicolon."""
    blocks = {book.stem: Chapter(book.stem, book).blocks for book in NOTEBOOKS}
    for row in claims.ledger().values():
        title = blocks[row.chapter][row.id].title
        assert title == row.title or title.startswith(f"{row.title}; "), row.id


def test_every_statement_of_the_ledger_is_claimed_in_its_chapter() -> None:
    claimed = {(book.stem, key) for book in NOTEBOOKS for key in Chapter(book.stem, book).evidence}
    assert {(row.chapter, row.id) for row in claims.ledger().values()} == claimed


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_cell_fits_on_a_screen(notebook: Path) -> None:
    sizes = ["".join(cell["source"]).splitlines() for cell in cells(notebook, "code")]
    assert max(map(len, sizes)) <= 20
    assert max(len(line) for lines in sizes for line in lines) <= 92


@pytest.mark.parametrize(
    "notebook", [book for book in NOTEBOOKS if book.stem != LAST], ids=lambda path: path.stem
)
def test_a_chapter_has_its_parts(notebook: Path) -> None:
    text = "\n".join("".join(cell["source"]) for cell in cells(notebook, "markdown"))
    assert "**After this chapter you can**" in text
    for part in ("## Exercises", "## Summary", "## Notes"):
        assert part in text
    assert text.count("{exercise}") == text.count("{solution}") + text.count("{solution-start}")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_guess_has_one_right_answer(notebook: Path) -> None:
    """The bold words that open the answer are one of the options; what answers follows."""
    text = ""
    for cell in every(notebook):
        if "reveals" in cell["metadata"].get("tags", []):
            assert text.rstrip().endswith("\n:::::"), text[-200:]
            assert ":class: predict" in text.rpartition("{admonition}")[2]
        text = "".join(cell["source"]) if cell["cell_type"] == "markdown" else text
    for text in ("".join(cell["source"]) for cell in cells(notebook, "markdown")):
        for box in re.findall(r":class: predict\n(.*?)\n:{5}", text, re.DOTALL):
            options = re.findall(r"^- (.+)$", box.partition("{dropdown}")[0], re.MULTILINE)
            answer = re.search(r"\{dropdown\} Answer\n+\*\*(.+?)\.?\*\*", box)
            assert answer, box
            assert len(options) >= 2
            assert options.count(answer[1]) == 1, box


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_of_figures_say_what_is_seen(notebook: Path) -> None:
    for cell in cells(notebook, "code"):
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                assert {explore.MIME, live.MIME, plotting.MIME} & set(data), (
                    "a figure without a caption"
                )


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_is_folded_unless_it_teaches(notebook: Path) -> None:
    """And a run of all cells goes on behind a cell that claims, and behind no other."""
    for cell in cells(notebook, "code"):
        tags = cell["metadata"].get("tags", [])
        assert cell["metadata"].get("jupyter", {}).get("source_hidden", False) == (
            "teaches" not in tags
        )
        assert ("raises-exception" in tags) == evidence.makes_claims("".join(cell["source"]))


def collisions() -> set[str]:
    """Symbols with two meanings in chapters that follow each other: "first second: symbol"."""
    symbols = tomllib.loads((ROOT / "book" / "notation.toml").read_text(encoding="utf-8"))["symbol"]
    order = [name.removeprefix("book/") for name in parse_toc_yaml(ROOT / "_toc.yml")]
    used: dict[str, dict[str, str]] = {}
    for one in symbols:
        for chapter in one.get("chapters", order):
            for formula in re.findall(r"\$(.*?)\$", one["tex"]):
                used.setdefault(chapter, {})[formula.split("=")[0]] = one["meaning"]
    pairs = pairwise(name for name in order if name in used and name in CHAPTERS)
    return {
        f"{one} {two}: {symbol}"
        for one, two in pairs
        for symbol in used[one].keys() & used[two].keys()
        if used[one][symbol] != used[two][symbol]
    }


def test_no_symbol_has_two_meanings_in_neighbours() -> None:
    """But for those listed, which wait for their chapters to be told anew."""
    assert collisions() == set(tomllib.loads(MAY_COLLIDE.read_text(encoding="utf-8"))["symbols"])


def test_every_page_is_in_the_table_of_contents() -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = {toc["root"]} | {c["file"] for part in toc["parts"] for c in part["chapters"]}
    pages = {f"book/{page.stem}" for page in (ROOT / "book").glob("[a-z]*.[mi][dp]*")}
    assert listed == pages


def test_every_reference_links_to_its_source() -> None:
    """By DOI, number on arXiv or address, each bare, so that its link is made of it."""
    for key, entry in parse_file(ROOT / "book" / "references.bib").entries.items():
        given = {kind: entry.fields[kind] for kind in ADDRESS if kind in entry.fields}
        for kind, address in given.items():
            assert re.fullmatch(ADDRESS[kind], address), f"{key}: {kind} = {address}"
        assert ("eprint" in given) == (entry.fields.get("archiveprefix") == "arXiv"), key
        assert given, f"{key}: no DOI, no arXiv number, no address"


@pytest.mark.parametrize("command", [["check"], ["format", "--diff"]], ids=" ".join)
def test_the_code_is_clean(command: list[str]) -> None:
    """Modules and notebooks; to see the same by hand, `ruff check` and `ruff format`."""
    ruff = [sys.executable, "-m", "ruff", *command]
    result = subprocess.run(ruff, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
