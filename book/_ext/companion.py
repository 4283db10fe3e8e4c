"""What the book adds to Sphinx: local math, our outputs, lean pages, and the generated pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from chapters import Chapter, MarkdownDirective
from finding import set_up_search
from formulas import set_up_math
from host import set_up_host
from landing import set_up_landing
from lean import finish_pages, note_start
from outputs import set_up_outputs
from sphinx.application import Sphinx
from statement_map import set_up_map

from lecture_code.display import evidence

__all__ = ["Chapter", "setup"]

ERRATUM = {
    "error": "an error",
    "misprint": "a misprint",
    "remark": "a remark",
    "dated": "right when it was written",
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers all of it."""
    set_up_math(app)
    set_up_outputs(app)
    set_up_search(app)
    set_up_map(app)
    set_up_landing(app)
    set_up_host(app)
    app.add_css_file("companion.css")
    app.add_js_file("preview.js", loading_method="defer")
    app.add_js_file("companion.js", loading_method="defer")
    app.add_directive("claims", ClaimsDirective)
    app.add_directive("errata", ErrataDirective)
    app.add_directive("statements", StatementsDirective)
    app.add_directive("terms", TermsDirective)
    app.add_directive("notation", NotationDirective)
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
    """The glossary: the terms of ``terms.toml`` with their definitions and places."""

    def text(self) -> Iterator[str]:
        """One entry a term, in alphabetical order."""
        terms = self.table("terms")["term"]
        yield "```{glossary}"
        for term in sorted(terms, key=lambda term: term["name"].casefold()):
            places = ", ".join(f"{{prf:ref}}`{label}`" for label in term["places"])
            yield f"{term['name']}\n  {term['definition']} {places}.\n"
        yield "```"


LETTERS = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|pi|rho|sigma|tau|phi"
    "|chi|psi|omega"
)


class NotationDirective(MarkdownDirective):
    """The table of symbols, those of all chapters first, then in the order of the alphabet."""

    def text(self) -> Iterator[str]:
        """One row a symbol, with links to its chapters."""
        symbols = self.table("notation")["symbol"]
        numbers = {c.name: f"[{c.title}](/book/{c.name})" for c in self.chapters()}
        yield "| symbol | meaning | chapters |\n|---|---|---|"
        for one in sorted(symbols, key=letters):
            places = ", ".join(numbers[name] for name in one.get("chapters", []))
            yield f"| {one['tex']} | {one['meaning']} | {places or 'all'} |"


def letters(symbol: dict[str, Any]) -> tuple[bool, str]:
    """Where a symbol stands in the table: by the letters that are seen."""
    tex = symbol["tex"].replace(r"\ell", "l")
    seen = re.sub(rf"\\(?:var)?({LETTERS})\b|\\[A-Za-z]+", r"\1", tex, flags=re.I)
    return "chapters" in symbol, re.sub(r"\W|_", "", seen).casefold()


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
