"""The map of statements: what rests on what, read from the proofs, and how each statement stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

from chapters import ROOT, Chapter
from docutils import nodes
from map_drawing import book_map, chapter_map
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from lecture_code.display import claims

logger = logging.getLogger(__name__)


class Entry(NamedTuple):
    """A statement on the map: how it stands, and the statements that its proof uses."""

    label: str
    chapter: str
    kind: str
    title: str
    standing: str
    mended: bool
    uses: tuple[str, ...]


def set_up_map(app: Sphinx) -> None:
    """Registers the maps, and the look at the whole graph before pages are read."""
    app.add_node(map_place)
    app.add_directive("statement-map", StatementMapDirective)
    app.add_transform(PlaceChapterMap)
    app.add_post_transform(DrawMaps)
    app.connect("builder-inited", check_graph)


def names(app: Sphinx) -> list[str]:
    """The chapters that are notebooks, in the order of the book."""
    pages = [Path(str(page)).name for page in app.config.external_site_map]
    return [name for name in pages if (ROOT / "book" / f"{name}.ipynb").exists()]


def standing(chapter: Chapter, label: str, kind: str) -> str:
    """How a statement stands, by its proof and its evidence."""
    rows = chapter.evidence.get(label, [])
    if kind == "definition":
        return "defined"
    if kind == "observation":
        return "measured"
    if not any(proof.of == label for proof in chapter.proofs):
        return "cited"
    return "checked" if any(row.standing == "holds" for row in rows) else "proved"


def graph(chapters: Iterable[Chapter]) -> dict[str, Entry]:
    """All statements by label, in order.

    A statement uses those to which its proof refers, by themselves or by their equations, and the
    definitions that it names itself.
    """
    chapters = list(chapters)
    blocks = {label: block for one in chapters for label, block in one.blocks.items()}
    homes = {
        equation: block.label for block in blocks.values() for equation in block.equations
    }
    found = {}
    for chapter in chapters:
        for label, block in chapter.blocks.items():
            uses = dict.fromkeys(
                name
                for name in block.references
                if blocks.get(name, block).kind == "definition"
            )
            for proof in (proof for proof in chapter.proofs if proof.of == label):
                uses.update(dict.fromkeys(name for name in proof.uses if name in blocks))
                uses.update(dict.fromkeys(homes[e] for e in proof.equations if e in homes))
            uses.pop(label, None)
            row = claims.ledger().get(label)
            mended = row is not None and any(e.kind == "error" for e in row.errata)
            stands = standing(chapter, label, block.kind)
            title = block.title.split(";")[0]
            found[label] = Entry(
                label, chapter.name, block.kind, title, stands, mended, tuple(uses)
            )
    return found


def in_order(entries: Mapping[str, Entry]) -> list[str]:
    """The statements, each behind those that it uses; ``ExtensionError`` if they go in a circle."""
    try:
        return list(
            TopologicalSorter({e.label: e.uses for e in entries.values()}).static_order()
        )
    except CycleError as problem:
        circle = " → ".join(reversed(problem.args[1]))
        raise ExtensionError(
            f"The proofs go in a circle: each uses the next, {circle}"
        ) from None


def looking_ahead(
    entries: Mapping[str, Entry], order: list[str]
) -> list[tuple[Entry, Entry]]:
    """The pairs of which the first uses the second, which stands in a later chapter."""
    place = {name: i for i, name in enumerate(order)}
    pairs = [(one, entries[used]) for one in entries.values() for used in one.uses]
    return [(a, b) for a, b in pairs if place[a.chapter] < place[b.chapter]]


def check_graph(app: Sphinx) -> None:
    """Reads the graph of the whole book; fails on a circle and reports what looks ahead."""
    order = names(app)
    app.chapters = [Chapter(name, ROOT / "book" / f"{name}.ipynb") for name in order]
    app.statements = graph(app.chapters)
    in_order(app.statements)
    app.ahead = looking_ahead(app.statements, order)
    for one, used in app.ahead:
        logger.info("%s uses %s, of a later chapter", one.label, used.label)


class map_place(nodes.Element):  # docutils names its nodes in lower case
    """The place of a map that is drawn when all statements have their numbers."""


class PlaceChapterMap(SphinxTransform):
    """Places a chapter's map at the end of its introduction: behind the hero and "It takes"."""

    default_priority = 900

    def apply(self, **kwargs: Any) -> None:
        """Puts the place before the first section of a chapter that has statements and no map."""
        name = Path(self.env.docname).name
        if any(entry.chapter == name for entry in self.app.statements.values()):
            page = next(self.document.findall(nodes.section), None)
            first = page and page.first_child_matching_class(nodes.section)
            if first is not None and not list(self.document.findall(map_place)):
                page.insert(first, map_place(of=name))


class StatementMapDirective(SphinxDirective):
    """The map of the whole book."""

    def run(self) -> list[nodes.Node]:
        """Its place; the page is written again when a chapter changes."""
        for name in names(self.env.app):
            self.env.note_dependency(str(ROOT / "book" / f"{name}.ipynb"))
        return [map_place(of="")]


class DrawMaps(SphinxPostTransform):
    """Draws the maps of a page."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """Replaces each place by its map, or by nothing outside of HTML."""
        for place in list(self.document.findall(map_place)):
            if self.app.builder.format != "html":
                place.parent.remove(place)
                continue
            draw = chapter_map if place["of"] else book_map
            text = draw(self.app, self.env.docname, place["of"])
            place.replace_self(nodes.raw("", text, format="html"))
