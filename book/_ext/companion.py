"""What the book adds to Sphinx: local math, our outputs, lean pages, and the generated pages."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from formulas import set_up_math
from lean import finish_pages, note_start
from outputs import explorable, set_up_outputs
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from lecture_code.display import claims, evidence, explore
from lecture_code.display.statements import Statement

ROOT = Path(__file__).parents[2]
STATEMENT = re.compile(
    r"^(?P<fence>:{3,})\{prf:(?!proof)\w+\} (?P<title>[^\n]+)\n:label: (?P<label>\S+)\n"
    r"(?P<text>.*?)\n(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
ERRATUM = {"error": "an error", "remark": "a remark", "dated": "right when it was written"}
EQUATION_LABEL = re.compile(r"^ *:label: .*\n", re.MULTILINE)


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers all of it."""
    set_up_math(app)
    set_up_outputs(app)
    app.add_css_file("companion.css")
    app.add_js_file("preview.js", loading_method="defer")
    app.add_js_file("companion.js", loading_method="defer")
    app.add_directive("claims", ClaimsDirective)
    app.add_directive("errata", ErrataDirective)
    app.add_directive("statements", StatementsDirective)
    app.add_directive("terms", TermsDirective)
    app.add_directive("notation", NotationDirective)
    app.add_directive("explorable", ExplorableDirective)
    app.connect("config-inited", switch_thebe_off)
    app.connect("builder-inited", note_start)
    app.connect("build-finished", finish_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def switch_thebe_off(app: Sphinx, config: Any) -> None:
    """Unhooks sphinx-thebe, which Jupyter Book loads unasked; its script fails on each page."""
    app.registry.css_files[:] = [f for f in app.registry.css_files if "thebe" not in f[0]]
    for event, listeners in app.events.listeners.items():
        app.events.listeners[event] = [
            one
            for one in listeners
            if not one.handler.__module__.startswith("sphinx_thebe")
        ]


class Block(NamedTuple):
    """A numbered statement as a notebook has it."""

    label: str
    title: str
    text: str


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
        """The numbered statements by label, in order; their equations without labels."""
        return {
            match["label"]: Block(
                match["label"],
                match["title"],
                EQUATION_LABEL.sub("", match["text"].strip()),
            )
            for match in STATEMENT.finditer(self.prose)
        }

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

    def rows(self, chapter: Chapter) -> list[Statement]:
        """What the ledger holds of a chapter."""
        self.env.note_dependency(str(Path(claims.__file__).with_name("ledger.toml")))
        return [row for row in claims.ledger().values() if row.chapter == chapter.name]


class StatementsDirective(MarkdownDirective):
    """A list of all numbered statements, by chapter, with links."""

    def text(self) -> Iterator[str]:
        """One line a statement, with its number and title."""
        for chapter in self.chapters():
            yield f"**{{doc}}`/book/{chapter.name}`**\n"
            for block in chapter.blocks.values():
                yield f"- {{prf:ref}}`{block.label}`: {block.title}"
            yield ""


class TermsDirective(MarkdownDirective):
    """An index: its content has a line ``term: label`` for each place."""

    has_content = True

    def text(self) -> Iterator[str]:
        """One line a term, in alphabetical order, with links to its places."""
        terms: dict[str, list[str]] = {}
        for line in filter(None, map(str.strip, self.content)):
            term, label = line.rsplit(": ", 1)
            terms.setdefault(term, []).append(f"{{prf:ref}}`{label}`")
        for term in sorted(terms, key=str.casefold):
            yield f"- {term}: {', '.join(terms[term])}"


class NotationDirective(MarkdownDirective):
    """The table of symbols, those of all chapters first, then in the order of the alphabet."""

    def text(self) -> Iterator[str]:
        """One row a symbol, with links to its chapters."""
        path = ROOT / "book" / "notation.toml"
        self.env.note_dependency(str(path))
        symbols = tomllib.loads(path.read_text(encoding="utf-8"))["symbol"]
        numbers = {c.name: f"[{c.title}](/book/{c.name})" for c in self.chapters()}
        yield "| symbol | meaning | chapters |\n|---|---|---|"
        for one in sorted(symbols, key=letters):
            places = ", ".join(numbers[name] for name in one.get("chapters", []))
            yield f"| {one['tex']} | {one['meaning']} | {places or 'all'} |"


def letters(symbol: dict[str, Any]) -> tuple[bool, str]:
    """Where a symbol stands in the table: by its letters, without commands and brackets."""
    plain = re.sub(
        r"\\(?:mathbb|mathcal|lVert|rVert|lvert|rvert|langle|nabla)|\W|_", "", symbol["tex"]
    )
    return "chapters" in symbol, plain.casefold()


class ExplorableDirective(MarkdownDirective):
    """An explorable of a chapter on another page: ``{explorable} chapter name``."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """The explorable as the chapter's notebook stores it."""
        chapter, name = self.arguments
        for data in self.chapter(chapter).outputs(explore.MIME):
            if data["name"] == name:
                return [explorable(data, self.typeset, self.config)]
        raise self.error(f"{chapter} has no explorable named {name}")

    def typeset(self, text: str) -> list[nodes.Node]:
        """A line of Markdown as nodes."""
        return self.state.inline_text(text, self.lineno)[0]


class ClaimsDirective(MarkdownDirective):
    """The statements of every chapter, with the figures that it shows for each."""

    def text(self) -> Iterator[str]:
        """One section a chapter, one entry a statement."""
        for chapter in self.chapters():
            yield f"## {chapter.title}\n"
            for row in self.rows(chapter):
                yield f"{row.title}\n"
                yield f': <code id="{row.id}">{row.id}</code>; {{prf:ref}}`{row.id}`; '
                yield f"  source: {row.source}\n"
                yield indented(chapter.blocks[row.id].text) + "\n"
                for one in chapter.evidence.get(row.id, []):
                    yield f"  - *{one.standing}*: {evidence.as_math(one.line)}"
                yield ""


class ErrataDirective(MarkdownDirective):
    """Where the source of a chapter and the truth differ, and how many claims guard it."""

    def text(self) -> Iterator[str]:
        """One section a chapter, one entry an erratum."""
        for chapter in self.chapters():
            errata = [
                (row, erratum) for row in self.rows(chapter) for erratum in row.errata
            ]
            if errata:
                yield f"## {chapter.title}\n"
            for row, erratum in errata:
                guards = len(chapter.evidence.get(row.id, []))
                checks = evidence.counted(guards, "row of evidence", "rows of evidence")
                link = f'<a href="claims.html#{row.id}"><code>{row.id}</code></a>'
                yield f"{erratum.where} ({ERRATUM[erratum.kind]})\n"
                yield f": *As printed in our copy:* {erratum.printed}\n"
                yield f"  *Should be:* {erratum.corrected}\n"
                yield f"  *Why:* {erratum.why}\n"
                yield f"  *Guarded by* {checks} with the id {link}.\n"


def indented(text: str) -> str:
    """The lines of a text as the content of a list entry."""
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())
