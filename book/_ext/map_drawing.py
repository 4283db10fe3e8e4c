"""Draws the maps of statements as SVG with links, and as lists, which stand alone without Node."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from arranging import Arrangement, arrange
from formulas import as_html

NODE, LINE, LETTERS = 120, 13, 17  # pixels and letters
DOT, PER_ROW = 18, 9
STANDINGS = {
    "checked": "proved and checked",
    "proved": "proved",
    "cited": "cited, proved elsewhere",
    "measured": "measured",
    "defined": "definition",
}
MENDED = "refuted as printed in the source, mended here"
SIGNS = {
    r"\ell": "ℓ",
    "_1": "₁",
    "_2": "₂",
    "_p": "ₚ",
    r"\infty": "∞",
    r"\|": "‖",
    r"\leftrightarrow": "↔",
    r"\top": "ᵀ",
}
SIGNS |= {r"\alpha": "α", r"\eta": "η", r"\mu": "μ", "^2": "²", r"\times": "×", r"\le": "≤"}
MATH = re.compile(r"\$([^$]+)\$")


def flat(title: str) -> str:
    """A title as plain text, its formulas in signs as far as there are some."""

    def signs(match: re.Match[str]) -> str:
        tex = match[1]
        for name, sign in SIGNS.items():
            tex = tex.replace(name, sign)
        return re.sub(r"\\[a-zA-Z]+ ?|[{}\\]", "", tex)

    return MATH.sub(signs, title)


def wrapped(entry: Any) -> list[str]:
    """A title in the lines of a node."""
    return textwrap.wrap(flat(entry.title), LETTERS, break_long_words=False) or [""]


def height(entry: Any) -> int:
    """The height of a node in pixels."""
    return 12 + LINE * (1 + len(wrapped(entry)))


def numbered(app: Any, entry: Any) -> str:
    """A statement's kind and number, as its page shows them."""
    counters = app.env.toc_fignumbers.get(f"book/{entry.chapter}", {})
    found = next((c[entry.label] for c in counters.values() if entry.label in c), ())
    return f"{entry.kind.capitalize()} {'.'.join(map(str, found))}".strip()


def target(app: Any, page: str, entry: Any) -> str:
    """The address of a statement from a page."""
    return f"{app.builder.get_relative_uri(page, f'book/{entry.chapter}')}#{entry.label}"


def classes(entry: Any, chapter: str = "") -> str:
    """How a node looks: by its standing, and whether it belongs to another chapter."""
    names = ["node", f"stands-{entry.standing}", "mended" * entry.mended]
    names.append("elsewhere" if chapter and entry.chapter != chapter else "")
    return " ".join(filter(None, names))


def spoken(app: Any, entry: Any) -> str:
    """What a screen reader says of a node."""
    uses = [numbered(app, app.statements[label]) for label in entry.uses]
    parts = [f"{numbered(app, entry)} {flat(entry.title)}: {STANDINGS[entry.standing]}"]
    parts += [MENDED] * entry.mended + [f"uses {', '.join(uses)}"] * bool(uses)
    return html.escape("; ".join(parts))


def curve(points: Sequence[Sequence[float]]) -> str:
    """A smooth path through the middles of the pieces of an edge."""
    first, *_, last = points
    middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in pairwise(points)]
    bends = zip(points[1:-1], middles[1:], strict=True)
    steps = "".join(f"Q{p[0]:.0f},{p[1]:.0f} {m[0]:.0f},{m[1]:.0f}" for p, m in bends)
    start = f"M{first[0]:.0f},{first[1]:.0f}L{middles[0][0]:.0f},{middles[0][1]:.0f}"
    return f'<path class="edge" d="{start}{steps}L{last[0]:.1f},{last[1]:.1f}"/>'


def drawing(parts: Iterable[str], laid: Arrangement, label: str) -> str:
    """An SVG in a box that scrolls where the page is narrower."""
    arrow = (
        '<defs><marker id="map-arrow" viewBox="0 0 6 6" refX="5.5" refY="3" markerWidth="6" '
        'markerHeight="6" orient="auto"><path d="M0,0L6,3L0,6z"/></marker></defs>'
    )
    return (
        f'<div class="map-drawing"><svg viewBox="0 0 {laid.width:.0f} {laid.height:.0f}" '
        f'width="{laid.width:.0f}" height="{laid.height:.0f}" role="group" '
        f'aria-label="{label}">{arrow}'
        f"{''.join(parts)}</svg></div>"
    )


def node(app: Any, page: str, entry: Any, centre: Sequence[float], chapter: str) -> str:
    """A statement as a box with its number and title, which leads to it."""
    x, y = centre[0] - NODE / 2, centre[1] - height(entry) / 2
    lines = "".join(
        f' <tspan x="{x + 6:.0f}" dy="{LINE}">{html.escape(text)}</tspan>'
        for text in wrapped(entry)
    )
    return (
        f'<a class="{classes(entry, chapter)}" href="{target(app, page, entry)}" '
        f'data-label="{entry.label}" aria-label="{spoken(app, entry)}">'
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{NODE}" height="{height(entry)}" rx="4"/>'
        f'<text y="{y + 15:.0f}"><tspan class="number" x="{x + 6:.0f}">{numbered(app, entry)}'
        f"</tspan>{lines}</text></a>"
    )


def chapter_map(app: Any, page: str, chapter: str) -> str:
    """The map of a chapter, with what it uses of others."""
    own = [e for e in app.statements.values() if e.chapter == chapter]
    used = dict.fromkeys(label for e in own for label in e.uses)
    others = [
        app.statements[label] for label in used if app.statements[label].chapter != chapter
    ]
    edges = direct(app.statements, [(label, e.label) for e in own for label in e.uses])
    shown = [*others, *own]
    laid = arrange({e.label: (NODE, height(e)) for e in shown}, edges)
    text = ""
    if laid:
        parts = [curve(points) for points in laid.bends]
        parts += [node(app, page, e, laid.places[e.label], chapter) for e in shown]
        text = drawing(parts, laid, f"Map of the chapter's {len(own)} statements")
    keys = legend(shown, chapter)
    return figure(text, statement_list(app, page, own), keys, len(own))


def direct(
    entries: Mapping[str, Any], edges: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """The edges that do not follow from others by way of a third statement."""

    def below(label: str) -> set[str]:
        return {label}.union(*(below(used) for used in entries[label].uses))

    return [
        (used, label)
        for used, label in edges
        if not any(used in below(other) for other in entries[label].uses if other != used)
    ]


def statement_list(app: Any, page: str, entries: Iterable[Any]) -> str:
    """The same as a list: each statement, how it stands, what it uses."""
    rows = []
    for e in entries:
        used = [app.statements[label] for label in e.uses]
        links = ", ".join(
            f'<a href="{target(app, page, u)}">{numbered(app, u)}</a>' for u in used
        )
        rows.append(
            f'<li class="{classes(e)}"><a href="{target(app, page, e)}">{numbered(app, e)}</a> '
            f'{as_html(html.escape(e.title, quote=False), app.config)} <span class="stands">'
            f"{STANDINGS[e.standing]}{f'; {MENDED}' * e.mended}</span>"
            f"{f'; uses {links}' * bool(used)}</li>"
        )
    return f"<ul>{''.join(rows)}</ul>"


def legend(entries: Iterable[Any], chapter: str = "") -> str:
    """What the looks of the nodes mean, for those that there are."""
    entries = list(entries)
    found = {e.standing for e in entries}
    others = chapter and any(e.chapter != chapter for e in entries)
    keys = [(f"stands-{name}", text) for name, text in STANDINGS.items() if name in found]
    keys += [("elsewhere", "of another chapter")] * bool(others)
    keys += [("mended", MENDED)] * any(e.mended for e in entries)
    marks = [f'<span class="key {name}"><i></i>{text}</span>' for name, text in keys]
    return " ".join(marks)


ARROWS = (
    "What rests on what: an arrow leads from a statement to one whose proof uses it; "
    "an arrow that follows from two others is left out."
)
REACHING = (
    "A dot is a statement; an arrow leads from a chapter to one whose proofs use its "
    "statements."
)
ALONE = "The statements: no proof uses another of them."
LISTED = "The statements and how they stand."


def figure(drawn: str, listed: str, keys: str, count: int, arrows: str = ARROWS) -> str:
    """The drawing, the list behind a fold, and the legend, which speaks of what is drawn."""
    said = arrows if 'class="edge"' in drawn else ALONE if drawn else LISTED
    return (
        f'<figure class="statement-map">{drawn}<figcaption>{said} {keys}</figcaption>'
        '<details class="map-list">'
        f"<summary>The map as a list: {count} statements, and what each uses</summary>{listed}"
        "</details></figure>"
    )


def book_map(app: Any, page: str, _: str) -> str:
    """The map of the book: a box a chapter with a dot a statement; arrows where proofs reach over."""
    chapters: dict[str, list[Any]] = {}
    for e in app.statements.values():
        chapters.setdefault(e.chapter, []).append(e)
    reach = {
        (app.statements[label].chapter, e.chapter)
        for e in app.statements.values()
        for label in e.uses
        if app.statements[label].chapter != e.chapter
    }
    titles = {
        name: textwrap.wrap(app.env.titles[f"book/{name}"].astext(), 24)
        for name in chapters
    }
    sizes = {
        name: (
            16 + DOT * PER_ROW,
            14 + 16 * len(titles[name]) + DOT * -(-len(entries) // PER_ROW),
        )
        for name, entries in chapters.items()
    }
    laid = arrange(sizes, sorted(reach))
    text = ""
    if laid:
        parts = [curve(points) for points in laid.bends]
        for name, entries in chapters.items():
            place = laid.places[name]
            parts.append(box(app, page, name, titles[name], entries, place, sizes[name]))
        text = drawing(parts, laid, f"Map of the book's {len(app.statements)} statements")
    everything = app.statements.values()
    ahead = "".join(
        f"<p>Ahead of its place: the proof of {numbered(app, one)} uses {numbered(app, used)}.</p>"
        for one, used in app.ahead
    )
    listed = statement_list(app, page, everything) + ahead
    return figure(text, listed, legend(everything), len(everything), REACHING)


def box(
    app: Any,
    page: str,
    name: str,
    title: Sequence[str],
    entries: Sequence[Any],
    centre: Sequence[float],
    size: Sequence[float],
) -> str:
    """A chapter with its statements as dots."""
    x, y = centre[0] - size[0] / 2, centre[1] - size[1] / 2
    lines = " ".join(
        f'<tspan x="{x + 8:.0f}" y="{y + 17 + 16 * k:.0f}">{html.escape(text)}</tspan>'
        for k, text in enumerate(title)
    )
    parts = [
        f'<rect class="box" x="{x:.0f}" y="{y:.0f}" width="{size[0]}" height="{size[1]}" rx="5"/>'
        f'<a class="chapter" href="{app.builder.get_relative_uri(page, f"book/{name}")}">'
        f"<text>{lines}</text></a>"
    ]
    for i, e in enumerate(entries):
        row, column = divmod(i, PER_ROW)
        down = y + 8 + 16 * len(title) + DOT * (row + 0.5)
        at = f'cx="{x + 8 + DOT * (column + 0.5):.0f}" cy="{down:.0f}"'
        parts.append(
            f'<a class="{classes(e)}" href="{target(app, page, e)}" data-label="{e.label}" '
            f'aria-label="{spoken(app, e)}"><title>{numbered(app, e)}: '
            f'{html.escape(flat(e.title))}</title><circle {at} r="{DOT / 2 - 2.5}"/></a>'
        )
    return "".join(parts)
