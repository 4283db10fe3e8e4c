r"""Executable statements: a claim names a row of the ledger and shows its figures, or raises.

A notebook states a theorem in prose and then calls the functions below with its id. Each call
returns a :class:`~lecture_code.display.evidence.Row`, or raises a :class:`ClaimError`; the rows of
one statement are shown together by :func:`evidence`. Figures are rounded before they are shown, so
that every processor prints the same; a figure so close to a rounding edge that two processors could
disagree is refused.
"""

from __future__ import annotations

import math
import numbers
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from lecture_code.display.evidence import HOLDS, MEASURED, PRINTED, WITHOUT, Row, evidence
from lecture_code.display.statements import Statement, ledger, lookup

__all__ = [
    "ClaimError",
    "at_least",
    "at_most",
    "equal",
    "evidence",
    "exponent",
    "ledger",
    "log_slope",
    "lookup",
    "measured",
    "refuted",
    "rounded",
    "wins",
    "with_high_probability",
]

CONFIDENCE = 0.99
DRAWS = 10  # the least number of draws that make a measurement
EDGE = 1e-7
TINY = 1e-6
POWERS = {float(f"1e{k}") for k in range(-16, 0)}
ERROR_STEPS = (1e-12, 1e-9, 1e-6, 1e-3)

Real = int | float | Fraction | np.number


class ClaimError(AssertionError):
    """A claim that does not hold; the message has its id, its title and both sides."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message, and not how this module came to it."""
        return [f"{type(self).__name__}: {self}"]


def equal(
    statement_id: str,
    left: ArrayLike,
    right: ArrayLike,
    rtol: float = 1e-12,
    *,
    atol: float = 0.0,
    what: str = "",
    digits: int = 3,
) -> Row:
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
        return Row(statement_id, HOLDS, what, *sides, "exactly")
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
    return Row(statement_id, HOLDS, what, *sides, detail)


def at_most(
    statement_id: str,
    observed: ArrayLike,
    bound: ArrayLike,
    *,
    what: str = "",
    trivial: float | None = None,
    digits: int = 3,
) -> Row:
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
) -> Row:
    """Claims ``observed >= bound``; of arrays the pair with the least to spare is shown.

    ``trivial`` is a bound that holds without any theorem; at or below it the claim is vacuous.
    """
    return _inequality(statement_id, observed, "≥", bound, what, trivial, digits)


def with_high_probability(
    statement_id: str, successes: int, trials: int, at_least: float, *, what: str = ""
) -> Row:
    """Claims that an event has probability ``at_least``, from independent trials.

    What must reach ``at_least`` is the exact (Clopper-Pearson) lower confidence bound at 99 %; it
    is shown rounded down.
    """
    row = lookup(statement_id)
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(
            f"successes: {successes} of trials: {trials}; expected 0 <= k <= n, n >= 1"
        )
    if not 0 < at_least < 1:
        raise ValueError(f"at_least: {at_least} is no probability; expected a number in (0, 1)")
    lower = _lower_bound(successes, trials)
    left, right = f"{successes} of {trials}", f"probability {at_least:g}"
    detail = _confident(lower)
    _demand(lower >= at_least, row, what, left, "shows", right, detail)
    return Row(statement_id, HOLDS, what, left, "shows", right, detail)


def exponent(
    statement_id: str,
    x: ArrayLike,
    y: ArrayLike,
    expected: float,
    within: float,
    *,
    what: str = "",
    digits: int = 2,
    finite_size: str = "",
) -> Row:
    """Claims that ``y`` grows as ``x**expected``: the log-log slope is within ``within`` of it.

    It *holds* if the expected exponent also lies within three standard errors, or if
    ``finite_size`` says what moves the slope at these sizes, and by how much; else it is measured.
    """
    row = lookup(statement_id)
    slope, error = log_slope(x, y)
    seen = "0" if abs(slope) < TINY else rounded(slope, digits)
    left, right = f"slope {seen}", f"{expected:g}"
    spread = f"below {TINY:.0e}" if error < TINY else _coarse(error)
    away = abs(slope - expected)
    honest = away <= max(3 * error, TINY) or bool(finite_size)
    parts = [f"standard error {spread}", f"tolerance {within:g}", finite_size]
    if not honest:
        times = "many" if error < TINY else f"{away / error:.0f}"
        parts[2] = f"{times} standard errors away"
    detail = ", ".join(part for part in parts if part)
    _demand(away <= within, row, what, left, "≈", right, detail)
    return Row(statement_id, HOLDS if honest else MEASURED, what, left, "≈", right, detail)


def log_slope(x: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """Least-squares slope of log y against log x, and its standard error."""
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if a.shape != b.shape or a.ndim != 1 or np.unique(a).size < 3:
        raise ValueError(
            f"x, y: shapes {a.shape}, {b.shape}, {np.unique(a).size} different x; expected two "
            "vectors of one length with at least 3 different x"
        )
    if not ((a > 0).all() and (b > 0).all()):
        raise ValueError("x, y: expected positive numbers, for their logarithms are taken")
    u, v = np.log(a) - np.log(a).mean(), np.log(b) - np.log(b).mean()
    slope = (u @ v) / (u @ u)
    residual = v - slope * u
    return float(slope), float(np.sqrt(residual @ residual / (a.size - 2) / (u @ u)))


def refuted(
    statement_id: str,
    left: Real,
    relation: Literal["=", "≤", "≥"],
    right: Real,
    *,
    claimed: str,
    without: str = "",
    margin: float = 1e-6,
    what: str = "",
    digits: int = 3,
) -> Row:
    """Claims that figures break the sentence ``claimed``, which says ``left relation right``.

    The sentence is what a source prints or, where ``without`` names a hypothesis, the statement
    without it. The figures must break it by more than ``margin`` times the larger side, so that
    rounding cannot do it.
    """
    row = lookup(statement_id)
    if not claimed.strip():
        raise ValueError(f"claimed: {claimed!r}; expected the refuted sentence in words")
    a, b = (side.item() for side in _pair(left, right)[:2])
    gap = {"=": abs(a - b), "≤": a - b, "≥": b - a}.get(relation)
    if gap is None:
        raise ValueError(f"relation: {relation!r}; expected '=', '≤' or '≥'")
    negation = {"=": "≠", "≤": ">", "≥": "<"}[relation]
    scale = max(abs(a), abs(b))
    sides = _side(a, scale, digits), _side(b, scale, digits)
    broken = gap > Fraction(margin) * scale if _is_exact(gap) else gap > margin * scale
    _demand(bool(broken), row, what, sides[0], negation, sides[1], "the counterexample")
    if sides[0] == sides[1]:
        raise ValueError(f"digits: both sides read {sides[0]} with {digits} digits; expected more")
    standing = WITHOUT + without if without else PRINTED
    return Row(statement_id, standing, what, sides[0], negation, sides[1], claimed=claimed)


def measured(statement_id: str, values: ArrayLike, *, what: str, digits: int = 2) -> Row:
    """Shows the median and the range of at least ten draws of what no theorem states."""
    lookup(statement_id)
    draws = np.asarray(values, dtype=float)
    _demand_draws("values", draws)
    low, middle, high = (rounded(v, digits) for v in np.quantile(draws, (0, 0.5, 1)))
    detail = f"{low} to {high} in {draws.size} draws"
    return Row(statement_id, MEASURED, what, f"median {middle}", detail=detail)


def wins(statement_id: str, lower: ArrayLike, higher: ArrayLike, *, what: str) -> Row:
    """Shows in how many of at least ten draws one measurement is below another, in pairs.

    Behind it stands the exact lower confidence bound of the probability; at one half or less no
    difference is shown.
    """
    lookup(statement_id)
    a, b, _ = _pair(lower, higher)
    _demand_draws("lower", a)
    won = int(np.sum(a < b))
    bound = _lower_bound(won, a.size)
    verdict = "no difference shown: " if bound <= 0.5 else ""
    detail = verdict + _confident(bound)
    return Row(statement_id, MEASURED, what, f"lower in {won} of {a.size} draws", detail=detail)


def rounded(value: Real, digits: int = 3) -> str:
    """``value`` to that many significant digits, or exactly if it is an integer or a fraction.

    Below a million it is written out, with zeros for the digits that are rounded away; integers of
    more than 20 digits are shortened. Raises ``ValueError`` if the value is not finite, or so near
    a rounding edge that the last bits of another processor could turn the printed digits.
    """
    if isinstance(value, numbers.Rational | np.integer | np.bool_):
        exact = Fraction(value) if isinstance(value, numbers.Rational) else Fraction(int(value))
        return _short(exact)
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


def _short(exact: Fraction) -> str:
    """An exact number; one of very many digits by its first ones and their count."""
    digits = math.log10(max(abs(exact.numerator), exact.denominator, 1))
    if digits < 20:
        return str(exact)
    size = math.log10(abs(exact.numerator)) - math.log10(exact.denominator)
    return f"about {10 ** (size % 1):.2f}e{math.floor(size):+03d}"


def _inequality(
    statement_id: str,
    observed: ArrayLike,
    relation: Literal["≤", "≥"],
    bound: ArrayLike,
    what: str,
    trivial: float | None,
    digits: int,
) -> Row:
    row = lookup(statement_id)
    a, b, exact = _pair(observed, bound)
    slack = np.asarray(b - a if relation == "≤" else a - b, dtype=a.dtype)
    if exact:
        sizes = (max(abs(x), abs(y)) for x, y in zip(a.flat, b.flat, strict=True))
        pairs = zip(slack.flat, sizes, strict=True)
        spare = np.array([Fraction(s, n) if n else 0 for s, n in pairs], dtype=object)
    else:
        size = np.maximum(abs(a), abs(b))
        spare = np.divide(slack, size, out=np.zeros(a.shape), where=size > 0)
    worst = np.unravel_index(np.argmin(spare), a.shape)
    left, right = a[worst], b[worst]
    sides = _apart(left, right, digits)
    _demand(bool((slack >= 0).all()), row, what, sides[0], relation, sides[1])
    vacuous = trivial is not None and bool(
        np.all(b >= trivial) if relation == "≤" else np.all(b <= trivial)
    )
    small, large = (left, right) if relation == "≤" else (right, left)
    ratio = _ratio(small, large)
    parts = [
        f"tightest of {a.size}" if a.size > 1 else "",
        "" if ratio is None else f"ratio {ratio:g}",
    ]
    detail = ", ".join(part for part in parts if part)
    return Row(
        statement_id, HOLDS, what, sides[0], relation, sides[1], detail, ratio, vacuous=vacuous
    )


def _ratio(small: Real, large: Real) -> float | None:
    """The ratio to two digits, never rounded up to 1; ``None`` if one side is not positive."""
    if not (large > 0 and small > 0):
        return None
    ratio = (
        float(Fraction(small, large)) if _is_exact(small) and _is_exact(large) else small / large
    )
    if ratio < TINY:
        return None
    text = float(_coarse(ratio))
    if text == 1 and 1 - ratio > 1e-9:
        text = 0.999 if ratio >= 0.999 else 0.99
    return int(text) if text.is_integer() else text  # as front ends write it when they save


def _apart(left: Real, right: Real, digits: int) -> tuple[str, str]:
    """Both sides, with as many digits more as it takes to tell them apart if they differ."""
    scale = max(abs(left), abs(right))
    sides = _side(left, scale, digits), _side(right, scale, digits)
    if sides[0] == sides[1] and abs(left - right) > TINY * scale:
        for more in range(digits + 1, 9):
            try:
                sides = _side(left, scale, more), _side(right, scale, more)
            except ValueError:
                continue
            if sides[0] != sides[1]:
                break
    return sides


def _side(value: Real, scale: Real, digits: int) -> str:
    """The figure, or only a power of ten above it where it is rounding error beside the other.

    A power of ten itself, such as 1e-9, is no rounding error: it was asked for.
    """
    if _is_exact(value):
        return rounded(value)
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


def _lower_bound(successes: int, trials: int) -> float:
    """Exact one-sided lower confidence bound of a binomial probability."""
    test = stats.binomtest(int(successes), int(trials), alternative="greater")
    return float(test.proportion_ci(CONFIDENCE, method="exact").low)


def _confident(bound: float) -> str:
    """What a lower confidence bound says, rounded down."""
    return (
        f"probability at least {math.floor(1000 * bound) / 1000:.3f} "
        f"with confidence {CONFIDENCE:.0%}"
    )


def _differ(
    a: np.ndarray, b: np.ndarray, apart: np.ndarray, sides: tuple[str, str, str]
) -> tuple[str, str, str]:
    """The sides of an identity; where pairs of arrays differ, how many and the first of them."""
    if a.size == 1 or not apart.any():
        return sides
    first = np.argwhere(apart)[0].tolist()
    count = f"{np.sum(apart)} of {a.size} pairs differ, the first at {first}:"
    return f"{count} {a[tuple(first)]}", "≠", str(b[tuple(first)])


def _is_exact(value: Any) -> bool:
    return isinstance(value, numbers.Rational | np.integer | np.bool_)


def _pair(left: ArrayLike, right: ArrayLike) -> tuple[np.ndarray, np.ndarray, bool]:
    """Both sides as arrays of one shape, and whether all their numbers are exact.

    Exact numbers stay Python integers and fractions, so that nothing overflows or is rounded.
    """
    sides = [np.asarray(side, dtype=object) for side in (left, right)]
    if 0 in (sides[0].size, sides[1].size):
        raise ValueError("left, right: empty; expected at least one number on each side")
    if sides[0].shape != sides[1].shape and 1 not in (sides[0].size, sides[1].size):
        raise ValueError(
            f"left, right: shapes {sides[0].shape}, {sides[1].shape}; "
            "expected the same, or one number"
        )
    exact = all(_is_exact(v) for side in sides for v in side.flat)
    if exact:
        plain = np.vectorize(lambda v: v if isinstance(v, Fraction) else int(v), otypes=[object])
        sides = [np.asarray(plain(side), dtype=object) for side in sides]
    else:
        sides = [side.astype(float) for side in sides]
    a, b = np.broadcast_arrays(*sides)
    return a, b, exact


def _demand_draws(name: str, draws: np.ndarray) -> None:
    if draws.ndim != 1 or draws.size < DRAWS:
        raise ValueError(
            f"{name}: shape {draws.shape}; expected a vector of at least {DRAWS} draws"
        )


def _demand(
    holds: bool, row: Statement, what: str, left: str, relation: str, right: str, detail: str = ""
) -> None:
    if not holds:
        raise ClaimError(
            f"{row.id}: {row.title} ({row.source}) does not hold.\n"
            f"Checked{f' ({what})' if what else ''}: {left} {relation} {right}"
            + (f"; {detail}" if detail else "")
        )
