"""The chapters as their notebooks hold them, and the pages that are written from them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from lecture_code.display import claims, evidence
from lecture_code.display.statements import Statement

ROOT = Path(__file__).parents[2]
STATEMENT = re.compile(
    r"^(?P<fence>:{3,})\{prf:(?!proof)(?P<kind>\w+)\} (?P<title>[^\n]+)\n:label: (?P<label>\S+)\n"
    r"(?P<text>.*?)\n(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
PROOF = re.compile(
    r"^(?P<fence>:{3,}|`{3,})\{prf:proof\}[^\n]*\n(?P<text>.*?)\n(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
NAMED = re.compile(r"(?:\b[Oo]f|\bproves) \{prf:ref\}`([\w-]+)`")
NAMED_WITHIN = 80  # characters from the beginning of a proof
REFERENCE = re.compile(r"\{prf:ref\}`([\w-]+)`")
EQUATION = re.compile(r"\{eq\}`([\w-]+)`")
EQUATION_LABEL = re.compile(r"^ *:label: (.*)\n", re.MULTILINE)


class Block(NamedTuple):
    """A numbered statement as a notebook has it."""

    label: str
    title: str
    kind: str
    references: tuple[str, ...]
    equations: tuple[str, ...]


class Proof(NamedTuple):
    """A proof: the statement it proves, the statements and the equations that it refers to."""

    of: str
    uses: tuple[str, ...]
    equations: tuple[str, ...]


class Chapter:
    """What the notebook of a chapter holds."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.cells = json.loads(path.read_text(encoding="utf-8"))["cells"]

    @cached_property
    def prose(self) -> str:
        """The Markdown of all cells."""
        cells = (cell for cell in self.cells if cell["cell_type"] == "markdown")
        return "\n\n".join("".join(cell["source"]) for cell in cells)

    @property
    def title(self) -> str:
        """The heading of the page."""
        return re.search(r"^# (.+)$", self.prose, re.MULTILINE)[1]

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """The numbered statements by label, in order."""
        return {
            match["label"]: Block(
                match["label"],
                match["title"],
                match["kind"],
                tuple(REFERENCE.findall(match["text"])),
                tuple(EQUATION_LABEL.findall(match["text"])),
            )
            for match in STATEMENT.finditer(self.prose)
        }

    @cached_property
    def proofs(self) -> list[Proof]:
        """The proofs, in order; one that names no statement is of the last one before it."""
        starts = [
            (match.start(), match["label"]) for match in STATEMENT.finditer(self.prose)
        ]
        found = []
        for match in PROOF.finditer(self.prose):
            named = NAMED.search(match["text"][:NAMED_WITHIN])
            last = [label for start, label in starts if start < match.start()][-1:]
            of = named[1] if named else "".join(last)
            uses = dict.fromkeys(REFERENCE.findall(match["text"]))
            uses.pop(of, None)
            found.append(Proof(of, tuple(uses), tuple(EQUATION.findall(match["text"]))))
        return found

    def outputs(self, mime: str) -> Iterator[dict[str, Any]]:
        """What is stored of one kind, in order."""
        for cell in self.cells:
            for output in cell.get("outputs", ()):
                if mime in output.get("data", {}):
                    yield output["data"][mime]

    @cached_property
    def evidence(self) -> dict[str, list[evidence.Row]]:
        """The rows of evidence by id of their statement."""
        found: dict[str, list[evidence.Row]] = {}
        for block in self.outputs(evidence.MIME):
            rows = [evidence.Row(block["id"], **row) for row in block["rows"]]
            found.setdefault(block["id"], []).extend(rows)
        return found


class MarkdownDirective(SphinxDirective):
    """A part of the page that is written as Markdown when the book is built."""

    def run(self) -> list[nodes.Node]:
        """Parses the Markdown that :meth:`text` makes, headings included."""
        container = nodes.container(classes=[self.name])
        lines = "\n".join(self.text()).split("\n")
        self.state.nested_parse(lines, self.content_offset, container, match_titles=True)
        sections = [child for child in container if isinstance(child, nodes.section)]
        for section in sections:
            section["classes"].append(self.name)
        return sections or [container]

    def text(self) -> Iterator[str]:
        """The Markdown of the part, in pieces."""
        raise NotImplementedError

    def chapter(self, name: str) -> Chapter:
        """A chapter; the page is written again when its notebook changes."""
        path = ROOT / "book" / f"{name}.ipynb"
        self.env.note_dependency(str(path))
        return Chapter(name, path)

    def chapters(self) -> Iterator[Chapter]:
        """The chapters of the book that are notebooks, in their order."""
        for page in self.env.app.config.external_site_map:
            name = Path(str(page)).name
            if (ROOT / "book" / f"{name}.ipynb").exists():
                yield self.chapter(name)

    def table(self, name: str) -> dict[str, Any]:
        """A table beside the chapters; the page is written again when it changes."""
        path = ROOT / "book" / f"{name}.toml"
        self.env.note_dependency(str(path))
        return tomllib.loads(path.read_text(encoding="utf-8"))

    def rows(self, chapter: Chapter) -> list[Statement]:
        """What the ledger holds of a chapter."""
        self.env.note_dependency(str(Path(claims.__file__).with_name("ledger.toml")))
        return [row for row in claims.ledger().values() if row.chapter == chapter.name]
