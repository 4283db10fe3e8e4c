r"""Executable statements: a claim names a row of the ledger, shows its figures, or raises.

A notebook states a theorem in prose and then calls one of the functions below with the id of the
theorem's row in ``ledger.toml``. The call either returns a :class:`Claim`, which displays itself as
plain text, as an HTML card and as JSON, or raises a :class:`ClaimError`. Figures are rounded before
they are shown, so that every processor prints the same; a figure so close to a rounding edge that
two processors could disagree is refused.
"""

from __future__ import annotations

import functools
import html
import math
import numbers
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib import resources
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

MIME = "application/vnd.lecture-code.claim+json"
CONFIDENCE = 0.99
EDGE = 1e-7
TINY = 1e-6
POWERS = {float(f"1e{k}") for k in range(-16, 0)}
ERROR_STEPS = (1e-12, 1e-9, 1e-6, 1e-3)

Kind = Literal["identity", "inequality", "frequency", "exponent", "counterexample"]
Real = int | float | Fraction | np.number


class ClaimError(AssertionError):
    """A claim that does not hold; the message has its id, its statement and both sides."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message, and not how this module came to it."""
        return [f"{type(self).__name__}: {self}"]


@dataclass(frozen=True)
class Erratum:
    """One place where the source and the truth differ."""

    where: str
    printed: str
    corrected: str
    why: str


@dataclass(frozen=True)
class Statement:
    """One row of the ledger: what is claimed, where the source says it, how the book covers it."""

    id: str
    chapter: str
    title: str
    source: str
    kind: str
    statement: str
    errata: tuple[Erratum, ...] = ()


@functools.cache
def ledger() -> Mapping[str, Statement]:
    """All statements of the book by id, as ``ledger.toml`` lists them."""
    text = resources.files(__package__).joinpath("ledger.toml").read_text(encoding="utf-8")
    return {
        key: Statement(id=key, errata=tuple(Erratum(**e) for e in row.pop("errata", ())), **row)
        for key, row in tomllib.loads(text).items()
    }


def lookup(statement_id: str) -> Statement:
    """The ledger's row of that id; ``ValueError`` if there is none."""
    try:
        return ledger()[statement_id]
    except KeyError:
        raise ValueError(
            f"id: {statement_id!r} is not in the ledger; expected one of {sorted(ledger())}"
        ) from None


@dataclass(frozen=True)
class Claim:
    """A statement that was checked and held, with the rounded figures that show it."""

    id: str
    kind: Kind
    what: str
    left: str
    relation: str
    right: str
    detail: str = ""
    ratio: float | None = None
    vacuous: bool = False

    @property
    def statement(self) -> Statement:
        """The row of the ledger that this claim checks."""
        return lookup(self.id)

    def __str__(self) -> str:
        figures = " ".join(part for part in (self.left, self.relation, self.right) if part)
        notes = "; ".join(part for part in (self.detail, "vacuous" if self.vacuous else "") if part)
        what = f" {self.what}:" if self.what else ""
        return f"[holds] {self.id}:{what} {figures}" + (f" ({notes})" if notes else "")

    def _repr_html_(self) -> str:
        row, text = self.statement, {k: html.escape(str(v)) for k, v in asdict(self).items()}
        kind = "Counterexample: " if self.kind == "counterexample" else ""
        what = f'<span class="claim-what">{text["what"]}:</span> ' if self.what else ""
        parts = [
            f'<span class="claim-{name}">{text[key]}</span>'
            for name, key in (
                ("side", "left"),
                ("relation", "relation"),
                ("side", "right"),
            )
            if text[key]
        ]
        if self.detail:
            parts.append(f'<span class="claim-detail">({text["detail"]})</span>')
        if self.ratio is not None:
            parts.append(
                f'<span class="claim-bar" style="--ratio:{min(self.ratio, 1.0):.2g}"></span>'
            )
        if self.vacuous:
            parts.append('<span class="claim-vacuous">vacuous</span>')
        return (
            f'<div class="claim claim-{self.kind}"><p class="claim-head">'
            f"<strong>✓ {kind}{html.escape(row.title)}</strong> <code>{text['id']}</code></p>"
            f'<p class="claim-body">{what}{" ".join(parts)}</p></div>'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": str(self), "text/html": self._repr_html_(), MIME: asdict(self)}


def rounded(value: Real, digits: int = 3) -> str:
    """``value`` to that many significant digits, or exactly if it is an integer or a fraction.

    Below a million it is written out, with zeros for the digits that are rounded away. Raises
    ``ValueError`` if the value is not finite, or so near a rounding edge that the last bits of
    another processor could turn the printed digits.
    """
    if isinstance(value, numbers.Rational | np.integer):
        return str(value)
    number = float(value) + 0.0
    if not math.isfinite(number):
        raise ValueError(f"value: {number} is not finite")
    texts = {f"{number * (1 + turn):.{digits}g}" for turn in (-EDGE, EDGE)}
    if len(texts) > 1:
        raise ValueError(
            f"value: {number!r} lies on a rounding edge at {digits} digits ({' or '.join(texts)}); "
            "expected a figure that rounds the same on every processor: choose other digits"
        )
    text = texts.pop()
    return f"{float(text):.0f}" if "e+" in text and abs(float(text)) < 1e6 else text


def equal(
    statement_id: str,
    left: ArrayLike,
    right: ArrayLike,
    rtol: float = 1e-12,
    *,
    atol: float = 0.0,
    what: str = "",
    digits: int = 3,
) -> Claim:
    """Claims an identity between numbers or arrays, and shows the error seen.

    Integers and fractions are compared exactly. Floats may differ by
    ``atol + rtol * max|right|``; the error shown is the smallest of 1e-12, 1e-9, 1e-6, 1e-3 that is
    ten times the error or more, relative to ``max|right|`` if that is not zero, or ``rtol`` if that
    is smaller.
    """
    row = lookup(statement_id)
    a, b, exact = _pair(left, right)
    if a.size == 1:
        x, y = a.flat[0], b.flat[0]
        sides = _side(x, 1.0 if y == 0 else y, digits), "=", rounded(y, digits)
    else:
        sides = f"{a.size} pairs", "agree", ""
    if exact:
        _demand(bool((a == b).all()), row, what, *_differ(a, b, a != b, sides))
        return Claim(statement_id, "identity", what, *sides, "exactly")
    scale = float(np.max(np.abs(b)))
    error = float(np.max(np.abs(a - b)))
    allowed = atol + rtol * scale
    apart = ~(np.abs(a - b) <= allowed)
    _demand(error <= allowed, row, what, *_differ(a, b, apart, sides), f"error {error:.1e}")
    relative = error / scale if scale else error
    seen = next((step for step in ERROR_STEPS if 10 * relative <= step), None)
    if seen is not None and atol == 0:
        seen = min(seen, max(rtol, ERROR_STEPS[0]))
    name = "relative error" if scale else "error"
    detail = f"{name} {_coarse(relative)}" if seen is None else f"{name} below {seen:.0e}"
    return Claim(statement_id, "identity", what, *sides, detail)


def at_most(
    statement_id: str,
    observed: ArrayLike,
    bound: ArrayLike,
    *,
    what: str = "",
    trivial: float | None = None,
    digits: int = 3,
) -> Claim:
    """Claims ``observed <= bound``; of arrays the pair of the largest ratio is shown.

    ``trivial`` is a bound that holds without any theorem; at or above it the claim is vacuous.
    """
    return _inequality(statement_id, observed, "≤", bound, what, trivial, digits)


def at_least(
    statement_id: str,
    observed: ArrayLike,
    bound: ArrayLike,
    *,
    what: str = "",
    trivial: float | None = None,
    digits: int = 3,
) -> Claim:
    """Claims ``observed >= bound``; of arrays the pair with the least to spare is shown.

    ``trivial`` is a bound that holds without any theorem; at or below it the claim is vacuous.
    """
    return _inequality(statement_id, observed, "≥", bound, what, trivial, digits)


def with_high_probability(
    statement_id: str, successes: int, trials: int, at_least: float, *, what: str = ""
) -> Claim:
    """Claims that an event has probability ``at_least``, from independent trials.

    What must reach ``at_least`` is the exact (Clopper-Pearson) lower confidence bound at 99 %.
    """
    row = lookup(statement_id)
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(
            f"successes: {successes} of trials: {trials}; expected 0 <= k <= n, n >= 1"
        )
    if not 0 < at_least < 1:
        raise ValueError(f"at_least: {at_least} is no probability; expected a number in (0, 1)")
    exact = stats.binomtest(successes, trials, alternative="greater")
    lower = exact.proportion_ci(CONFIDENCE, method="exact").low
    left, right = f"{successes} of {trials}", f"probability {at_least:g}"
    detail = f"probability at least {lower:.3f} with confidence {CONFIDENCE:.0%}"
    _demand(lower >= at_least, row, what, left, "shows", right, detail)
    return Claim(statement_id, "frequency", what, left, "shows", right, detail)


def exponent(
    statement_id: str,
    x: ArrayLike,
    y: ArrayLike,
    expected: float,
    within: float,
    *,
    what: str = "",
    digits: int = 2,
) -> Claim:
    """Claims that ``y`` grows as ``x**expected``: the log-log slope is within ``within`` of it."""
    row = lookup(statement_id)
    slope, error = log_slope(x, y)
    seen = "0" if abs(slope) < TINY else rounded(slope, digits)
    left, right = f"slope {seen}", f"{expected:g}"
    spread = f"below {TINY:.0e}" if error < TINY else _coarse(error)
    detail = f"standard error {spread}, tolerance {within:g}"
    _demand(abs(slope - expected) <= within, row, what, left, "≈", right, detail)
    return Claim(statement_id, "exponent", what, left, "≈", right, detail)


def log_slope(x: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """Least-squares slope of log y against log x, and its standard error."""
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if a.shape != b.shape or a.ndim != 1 or a.size < 3:
        raise ValueError(f"x, y: shapes {a.shape}, {b.shape}; expected two vectors of 3 or more")
    if not ((a > 0).all() and (b > 0).all()):
        raise ValueError("x, y: expected positive numbers, for their logarithms are taken")
    u, v = np.log(a) - np.log(a).mean(), np.log(b) - np.log(b).mean()
    if not u.any():
        raise ValueError(f"x: {a}; expected numbers that are not all the same")
    slope = (u @ v) / (u @ u)
    residual = v - slope * u
    return float(slope), float(np.sqrt(residual @ residual / (a.size - 2) / (u @ u)))


def refuted(
    statement_id: str,
    left: Real,
    relation: Literal["=", "≤", "≥"],
    right: Real,
    *,
    margin: float = 1e-6,
    what: str = "",
    digits: int = 3,
) -> Claim:
    """Claims that figures break the statement ``left relation right``.

    They must break it by more than ``margin`` times the larger side, so that rounding cannot do it.
    """
    row = lookup(statement_id)
    gap = {"=": abs(left - right), "≤": left - right, "≥": right - left}.get(relation)
    if gap is None:
        raise ValueError(f"relation: {relation!r}; expected '=', '≤' or '≥'")
    negation = {"=": "≠", "≤": ">", "≥": "<"}[relation]
    scale = max(abs(left), abs(right))
    sides = _side(left, scale, digits), _side(right, scale, digits)
    broken = gap > margin * scale
    _demand(bool(broken), row, what, sides[0], negation, sides[1], "the counterexample")
    if sides[0] == sides[1]:
        raise ValueError(f"digits: both sides read {sides[0]} with {digits} digits; expected more")
    detail = f"the refuted statement has {relation} here"
    return Claim(statement_id, "counterexample", what, sides[0], negation, sides[1], detail)


def _inequality(
    statement_id: str,
    observed: ArrayLike,
    relation: Literal["≤", "≥"],
    bound: ArrayLike,
    what: str,
    trivial: float | None,
    digits: int,
) -> Claim:
    row = lookup(statement_id)
    a, b, _ = _pair(observed, bound)
    slack = np.asarray(b - a if relation == "≤" else a - b)
    size = np.asarray(np.maximum(abs(a), abs(b))).astype(float)
    spare = np.divide(slack.astype(float), size, out=np.zeros(a.shape), where=size > 0)
    worst = np.unravel_index(np.argmin(spare), a.shape)
    left, right = a[worst], b[worst]
    scale = max(abs(left), abs(right))
    sides = tuple(_side(value, scale, digits) for value in (left, right))
    _demand(bool((slack >= 0).all()), row, what, sides[0], relation, sides[1])
    vacuous = trivial is not None and bool(
        np.all(b >= trivial) if relation == "≤" else np.all(b <= trivial)
    )
    small, large = (left, right) if relation == "≤" else (right, left)
    ratio = float(small / large) if large > 0 and small >= TINY * large else None
    ratio = None if ratio is None else float(_coarse(ratio))
    if ratio is not None and ratio.is_integer():
        ratio = int(ratio)  # as front ends write it when they save a notebook
    parts = [
        f"tightest of {a.size}" if a.size > 1 else "",
        "" if ratio is None else f"ratio {ratio:g}",
    ]
    return Claim(
        statement_id,
        "inequality",
        what,
        sides[0],
        relation,
        sides[1],
        ", ".join(part for part in parts if part),
        ratio,
        vacuous,
    )


def _side(value: Real, scale: Real, digits: int) -> str:
    """The figure, or only a power of ten above it where it is rounding error beside the other.

    A power of ten itself, such as 1e-9, is no rounding error: it was asked for.
    """
    if 0 < abs(value) < TINY * scale and value not in POWERS:
        step = next((step for step in ERROR_STEPS if 10 * abs(value) <= step), None)
        if step is not None:
            return f"below {step:.0e}"
    return rounded(value, digits)


def _coarse(value: float) -> str:
    """Two significant digits, or three where two would lie on a rounding edge."""
    try:
        return rounded(value, 2)
    except ValueError:
        return rounded(value, 3)


def _differ(
    a: np.ndarray, b: np.ndarray, apart: np.ndarray, sides: tuple[str, str, str]
) -> tuple[str, str, str]:
    """The sides of an identity; where pairs of arrays differ, how many and the first of them."""
    if a.size == 1 or not apart.any():
        return sides
    first = np.argwhere(apart)[0].tolist()
    count = f"{np.sum(apart)} of {a.size} pairs differ, the first at {first}:"
    return f"{count} {a[tuple(first)]}", "≠", str(b[tuple(first)])


def _pair(left: ArrayLike, right: ArrayLike) -> tuple[np.ndarray, np.ndarray, bool]:
    """Both sides as arrays of one shape, and whether all their numbers are exact.

    Exact numbers stay Python integers and fractions, so that nothing overflows or is rounded.
    """
    sides = [np.asarray(side, dtype=object) for side in (left, right)]
    exact = all(
        isinstance(v, numbers.Rational | np.integer | np.bool_) for side in sides for v in side.flat
    )
    if exact:
        plain = np.vectorize(lambda v: v if isinstance(v, Fraction) else int(v), otypes=[object])
        sides = [plain(side) for side in sides]
    else:
        sides = [side.astype(float) for side in sides]
    a, b = np.broadcast_arrays(*sides)
    if a.size == 0:
        raise ValueError("left, right: empty; expected at least one number on each side")
    return a, b, exact


def _demand(
    holds: bool, row: Statement, what: str, left: str, relation: str, right: str, detail: str = ""
) -> None:
    if not holds:
        raise ClaimError(
            f"{row.id} ({row.source}) does not hold.\n"
            f"Checked{f' ({what})' if what else ''}: {left} {relation} {right}"
            + (f"; {detail}" if detail else "")
            + f"\nStatement: {row.statement}"
        )
