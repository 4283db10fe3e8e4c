r"""Evidence: what a cell shows for one statement, as one block of rows.

A row (made by :mod:`lecture_code.display.claims`) says what was compared, both sides, and how it
stands: a check that *holds*, a counterexample to what is *printed* or to the statement *without* a
hypothesis, or something *measured* that no theorem states. A block travels as text (which the tests
compare), as JSON (of which the pages are made) and as HTML (for JupyterLab).
"""

from __future__ import annotations

import html
import re
from dataclasses import asdict, dataclass
from typing import Any

from lecture_code.display.plotting import ROLE
from lecture_code.display.statements import Statement, lookup

MIME = "application/vnd.lecture-code.evidence+json"
HOLDS, MEASURED, PRINTED, WITHOUT = "holds", "measured", "as printed", "fails without "
OPEN = 3  # rows that show at once, at most
CLAIM = re.compile(r"\bclaims\.[a-z_]+\(")
POWER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]\d+)")

STYLE = f"""<style>
.lc-evidence{{border-left:3px solid {ROLE["holds"]};
padding:.3em .8em;margin:.3em 0;line-height:1.5}}
.lc-evidence summary{{cursor:pointer}}
.lc-row{{margin:.15em 0;font-variant-numeric:tabular-nums}}
.lc-standing{{font-size:.85em;padding:0 .4em;margin-right:.5em;border:1px solid currentColor;
border-radius:3px;white-space:nowrap}}
.lc-holds{{color:{ROLE["holds"]}}}
.lc-measured{{color:{ROLE["measured"]}}}
.lc-refuted{{color:{ROLE["failure"]}}}
.lc-detail{{opacity:.75}}
</style>"""


@dataclass(frozen=True)
class Row:
    """One comparison with its rounded figures; texts may hold ``$math$``.

    ``claimed`` is the sentence that a counterexample refutes; ``ratio`` is how much of its bound
    the observed side uses; a bound that says no more than what is plain anyway is ``vacuous``.
    """

    id: str
    standing: str
    what: str
    left: str
    relation: str = ""
    right: str = ""
    detail: str = ""
    ratio: float | None = None
    vacuous: bool = False
    claimed: str = ""

    @property
    def refutes(self) -> bool:
        """Whether the row is a counterexample."""
        return self.standing == PRINTED or self.standing.startswith(WITHOUT)

    @property
    def figures(self) -> str:
        """Both sides and how they compare."""
        return " ".join(part for part in (self.left, self.relation, self.right) if part)

    @property
    def notes(self) -> str:
        """What stands behind the figures."""
        return "; ".join(part for part in (self.detail, "vacuous" if self.vacuous else "") if part)

    @property
    def line(self) -> str:
        """The row as one line of text, without its standing."""
        claimed = f"claimed: {self.claimed}; found: " if self.refutes else ""
        what = f"{self.what}: " if self.what else ""
        return claimed + what + self.figures + (f" ({self.notes})" if self.notes else "")

    def __str__(self) -> str:
        return f"[{self.standing}] {self.id}: {self.line}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return Evidence((self,))._repr_mimebundle_()


@dataclass(frozen=True)
class Evidence:
    """The rows that one cell shows for one statement."""

    rows: tuple[Row, ...]
    show: int = OPEN

    @property
    def statement(self) -> Statement:
        """The row of the ledger that is meant."""
        return lookup(self.rows[0].id)

    @property
    def head(self) -> str:
        """One line that sums up the rows."""
        holds = [row for row in self.rows if row.standing == HOLDS]
        refuted = sum(row.refutes for row in self.rows)
        measured = sum(row.standing == MEASURED for row in self.rows)
        parts = []
        if holds:
            ratios = [row.ratio for row in holds if row.ratio is not None and row.ratio <= 1]
            tightest = f", the tightest at {max(ratios):g} of its bound" if ratios else ""
            if len(holds) == 1:
                tightest = tightest.replace("the tightest at", "at")
            vacuous = sum(row.vacuous for row in holds)
            said = f" ({vacuous} vacuous)" if vacuous else ""
            parts.append(f"{counted(len(holds), 'check holds', 'checks hold')}{said}{tightest}")
        if refuted:
            parts.append(counted(refuted, "counterexample", "counterexamples"))
        if measured:
            parts.append(counted(measured, "measurement", "measurements"))
        return "; ".join(parts)

    def __str__(self) -> str:
        lines = [f"  {row.standing}: {row.line}" for row in self.rows]
        return "\n".join([f"[evidence] {self.statement.id}: {self.head}", *lines])

    def data(self) -> dict[str, Any]:
        """The block as JSON."""
        rows = [{k: v for k, v in asdict(row).items() if k != "id"} for row in self.rows]
        return {"id": self.statement.id, "head": self.head, "show": self.show, "rows": rows}

    def _repr_html_(self) -> str:
        rows = [
            f'<div class="lc-row"><span class="lc-standing lc-{look(row)}">{row.standing}</span>'
            f"{html.escape(as_math(row.line), quote=False)}</div>"
            for row in self.rows
        ]
        more = "".join(rows[self.show :])
        if more:
            more = f"<details><summary>{len(rows) - self.show} more</summary>{more}</details>"
        head = html.escape(f"{self.statement.title}: {self.head}", quote=False)
        shown = "".join(rows[: self.show])
        return f'{STYLE}<div class="lc-evidence"><strong>{head}</strong>{shown}{more}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": str(self), "text/html": self._repr_html_(), MIME: self.data()}


def evidence(*rows: Row, show: int = OPEN) -> Evidence:
    """One block of evidence of these rows, in the order in which they matter.

    The first ``show`` of them (0 to 3) are open, the others folded. ``ValueError`` if there is no
    row, or if they are of different statements.
    """
    if show not in range(OPEN + 1):
        raise ValueError(f"show: {show}; expected a number from 0 to {OPEN}")
    names = sorted({row.id for row in rows})
    if len(names) != 1:
        raise ValueError(f"rows: of the statements {names}; expected rows of one statement")
    return Evidence(rows, show)


def makes_claims(source: str) -> bool:
    """Whether the code of a cell claims something; only such a cell may raise in a run of all."""
    return bool(CLAIM.search(source))


def look(row: Row) -> str:
    """The name of the colour role of a row."""
    return "refuted" if row.refutes else row.standing


def counted(number: int, one: str, many: str) -> str:
    """A number with the word that goes with it."""
    return f"{number} {one if number == 1 else many}"


def as_math(text: str) -> str:
    """The text with numbers such as ``2.5e-07`` as ``$2.5\\cdot10^{-7}$``, outside of formulas."""
    parts = re.split(r"(\$[^$]+\$)", text)
    return "".join(part if i % 2 else POWER.sub(power, part) for i, part in enumerate(parts))


def power(match: re.Match[str]) -> str:
    """A number in scientific notation as a formula."""
    factor = "" if match[1] == "1" else match[1] + "\\cdot "
    return f"${factor}10^{{{int(match[2])}}}$"
