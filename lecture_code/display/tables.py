"""Tables of figures: one object that a text, a page and the JSON between them show alike."""

from __future__ import annotations

import html
import math
import numbers
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from lecture_code.display.claims import _coarse, rounded
from lecture_code.display.plotting import SKY

MIME = "application/vnd.lecture-code.table+json"
BAR = (
    '<span class="bar" aria-hidden="true" style="display:inline-block;width:3em;height:0.6em;'
    f'margin-left:0.4em;background:linear-gradient(to right,{SKY} {{:.3g}}%,transparent 0)"></span>'
)
DIGIT, POINT = "\u2007", "\u2008"  # spaces as wide as a digit and as a point

Format = str | Callable[[Any], str]
Word = str | bool | np.bool_


@dataclass(frozen=True)
class Table:
    """A table whose cells are texts; ``Table(**data)`` makes it of its JSON form."""

    caption: str
    columns: list[str]
    rows: list[list[str]]
    align: list[Literal["left", "right"]]
    bars: dict[str, list[float]]

    def __str__(self) -> str:
        columns = []
        for side, column in zip(self.align, self.aligned(), strict=True):
            width = max(map(len, column))
            columns.append([c.ljust(width) if side == "left" else c.rjust(width) for c in column])
        lines = [f"[table] {self.caption}", *map("  ".join, zip(*columns, strict=True))]
        spaces = {ord(DIGIT): " ", ord(POINT): " "}
        return "\n".join(line.translate(spaces).rstrip() for line in lines)

    def _repr_html_(self) -> str:
        parts = []
        for k, line in enumerate(zip(*self.aligned(), strict=True)):
            for j, cell in enumerate(line):
                tag, scope = ("td", "") if k and j else ("th", f' scope="{"row" if k else "col"}"')
                shares = self.bars.get(self.columns[j]) if k else None
                bar = BAR.format(100 * shares[k - 1]) if shares else ""
                style = f' style="text-align:{self.align[j]}"'
                parts.append(f"<{tag}{scope}{style}>{html.escape(cell)}{bar}</{tag}>")
            parts.append("</tr><tr>" if k else "</tr></thead><tbody><tr>")
        head = f'<table class="figures"><caption>{html.escape(self.caption)}</caption><thead><tr>'
        return head + "".join(parts).removesuffix("<tr>") + "</tbody></table>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": str(self), "text/html": self._repr_html_(), MIME: asdict(self)}

    def aligned(self) -> list[list[str]]:
        """Each column under its heading, numbers followed by spaces so that the points align."""
        columns = []
        for side, name, *cells in zip(self.align, self.columns, *self.rows, strict=True):
            tails = [re.search(r"((?<=\d)(\.|e[+-]).*)?$", cell)[0] for cell in cells]
            longest = max(tails, key=len) if side == "right" else ""
            spaces = re.sub(r"[^.]", DIGIT, longest).replace(".", POINT)
            pairs = zip(cells, tails, strict=True)
            columns.append([name, *(cell and cell + spaces[len(tail) :] for cell, tail in pairs)])
        return columns


def table(
    columns: Sequence[Any],
    rows: Iterable[Iterable[Any]] | Mapping[str, Iterable[Any]],
    *,
    caption: str,
    formats: Format | Mapping[str, Format] | None = None,
    bars: Collection[str] = (),
) -> Table:
    """A table of figures under headings; the first cell of a row is its name.

    Texts, integers and fractions stand as they are, ``None`` leaves a cell empty, and floats have
    three digits (``claims.rounded``) if no format is given.

    Parameters
    ----------
    columns : the headings, no two the same. All texts may hold ``$math$``.
    rows : each a sequence, as ``zip`` makes them of columns; or a name and its other cells.
    formats : one for all columns or one by heading: a format such as ``".1e"`` for the numbers
        that are not whole by their type, or a function from what the cell holds to its text.
    bars : headings of columns whose numbers, none below 0, get bars that compare them.

    Raises
    ------
    ValueError : nothing to show, a heading twice or unknown, a row of another length, a float
        without a format that is not finite or lies on a rounding edge.
    """
    names = [str(name) for name in columns]
    pairs = rows.items() if isinstance(rows, Mapping) else ()
    cells = [[name, *others] for name, others in pairs] or [list(row) for row in rows]
    if not (caption.strip() and cells):
        raise ValueError(f"caption: {caption!r}, rows: {len(cells)}; expected words and a row")
    lengths = {len(row) for row in cells}
    if len(set(names)) < len(names) or lengths != {len(names)}:
        raise ValueError(
            f"columns: {names}, rows of {sorted(lengths)} cells; expected different headings, "
            "one a cell"
        )
    chosen = formats if isinstance(formats, Mapping) else dict.fromkeys(names, formats)
    unknown = sorted({*chosen, *bars} - set(names))
    if unknown:
        raise ValueError(f"formats, bars: {unknown}; expected some of the headings {names}")
    values = dict(zip(names, zip(*cells, strict=True), strict=True))
    return Table(
        caption,
        names,
        [[_text(v, chosen.get(n)) for n, v in zip(names, row, strict=True)] for row in cells],
        ["left" if any(isinstance(v, Word) for v in values[name]) else "right" for name in names],
        {name: _shares(name, values[name]) for name in bars},
    )


def _text(value: Any, form: Format | None) -> str:
    """What the cell of a value says."""
    if value is None:
        return ""
    if callable(form):
        return form(value)
    if isinstance(value, Word | numbers.Integral):
        return str(value)
    if form is None:
        return rounded(value)
    return re.sub(r"^-(?=[0.]+(e|%|$))", "", format(float(value), form))  # rounding has no sign


def _shares(name: str, values: Sequence[Any]) -> list[float]:
    """Each number as a share of the largest, rounded so that every processor stores the same."""
    if not all(isinstance(v, numbers.Real) and 0 <= v < math.inf for v in values):
        raise ValueError(f"bars: {name!r} holds {values}; expected finite numbers, none below 0")
    shares = [float(_coarse(float(v) / float(max(values) or 1))) for v in values]
    return [int(share) if share.is_integer() else share for share in shares]  # as JSON keeps them
