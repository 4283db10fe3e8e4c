"""Executable statements: what holds is shown, what fails raises, and the ledger is whole."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_code.display import claims, evidence, statements
from lecture_code.display.claims import (
    ClaimError,
    at_least,
    at_most,
    equal,
    exponent,
    log_slope,
    measured,
    refuted,
    rounded,
    wins,
    with_high_probability,
)
from lecture_code.display.evidence import Row
from lecture_code.display.statements import Statement

BOOK = Path(__file__).parents[2] / "book"
LEDGER = claims.ledger()

ROW = Statement(
    id="a-row",
    chapter="a_chapter",
    title="Sums & <differences>",
    source='Lecture 1, "(1.1)"',
)
X = np.array([1.0, 2.0, 4.0, 8.0])
FAR = np.array([10.0, 30.0, 70.0, 110.0])
DRAWS = np.arange(1.0, 12.0)
X9 = np.ones(9)
refute = partial(refuted, claimed="every number is small")

# For each kind a claim that holds, and the line it must print.
HOLDING: dict[str, tuple[Callable[[], Row], str]] = {
    "identity": (
        lambda: equal("a-row", 2 / 3, 2 / 3 + 1e-14, what="two thirds"),
        "[holds] a-row: two thirds: 0.667 = 0.667 (relative error below 1e-12)",
    ),
    "identity of arrays": (
        lambda: equal("a-row", np.ones((2, 3)), 1.0),
        "[holds] a-row: 6 pairs agree (relative error below 1e-12)",
    ),
    "identity, exact": (
        lambda: equal("a-row", Fraction(2, 6), Fraction(1, 3)),
        "[holds] a-row: 1/3 = 1/3 (exactly)",
    ),
    "inequality at most": (
        lambda: at_most("a-row", [0.1, 0.3], 0.4, what="</p><img src=x> & \"'"),
        "[holds] a-row: </p><img src=x> & \"': 0.3 ≤ 0.4 (tightest of 2, ratio 0.75)",
    ),
    "inequality at least": (
        lambda: at_least("a-row", 8, 2, trivial=2),
        "[holds] a-row: 8 ≥ 2 (ratio 0.25; vacuous)",
    ),
    "inequality without ratio": (
        lambda: at_most("a-row", -1, 0),
        "[holds] a-row: -1 ≤ 0",
    ),
    "frequency": (
        lambda: with_high_probability("a-row", 9, 10, 0.49, what="runs"),
        "[holds] a-row: runs: 9 of 10 shows probability 0.49 "
        "(probability at least 0.495 with confidence 99%)",
    ),
    "exponent": (
        lambda: exponent("a-row", X, [1.0, 4.1, 15.9, 64.0], 2, 0.1),
        "[holds] a-row: slope 2 ≈ 2 (standard error 0.01, tolerance 0.1)",
    ),
    "counterexample": (
        lambda: refute("a-row", 3, "≤", 2, what="a count"),
        "[as printed] a-row: claimed: every number is small; found: a count: 3 > 2",
    ),
    "counterexample without a hypothesis": (
        lambda: refute("a-row", 3, "=", 2, without="order"),
        "[fails without order] a-row: claimed: every number is small; found: 3 ≠ 2",
    ),
    "measured": (
        lambda: measured("a-row", DRAWS, what="eleven"),
        "[measured] a-row: eleven: median 6 (1 to 11 in 11 draws)",
    ),
    "wins": (
        lambda: wins("a-row", DRAWS, DRAWS + 1, what="first against second"),
        "[measured] a-row: first against second: lower in 11 of 11 draws "
        "(probability at least 0.657 with confidence 99%)",
    ),
    "no difference": (
        lambda: wins("a-row", DRAWS, DRAWS[::-1], what="pairs"),
        "[measured] a-row: pairs: lower in 5 of 11 draws "
        "(no difference shown: probability at least 0.134 with confidence 99%)",
    ),
}

# For each kind a claim that fails, and what its message must say.
FAILING: dict[str, tuple[Callable[[], Row], str]] = {
    "identity": (lambda: equal("a-row", 1.25, 1.5), "Checked: 1.25 = 1.5; error 2.5e-01"),
    "identity, exact": (lambda: equal("a-row", Fraction(1, 3), 1), "Checked: 1/3 = 1"),
    "identity of arrays": (
        lambda: equal("a-row", [[1.5, 2.0]], [[1.0, 1.0]], what="a pair"),
        "Checked (a pair): 2 of 2 pairs differ, the first at [0, 0]: 1.5 ≠ 1.0; error 1.0e+00",
    ),
    "identity of arrays, exact": (
        lambda: equal("a-row", [1, 5, 3], [1, 2, 3]),
        "1 of 3 pairs differ, the first at [1]: 5 ≠ 2",
    ),
    "at most": (lambda: at_most("a-row", [1, 7, 2], [100, 6, 2]), "Checked: 7 ≤ 6"),
    "at least": (
        lambda: at_least("a-row", [1.75, 3.0], 2.25, what="a b"),
        "(a b): 1.75 ≥ 2.25",
    ),
    "frequency": (lambda: with_high_probability("a-row", 9, 10, 0.5), "9 of 10 shows"),
    "exponent": (lambda: exponent("a-row", X, X**2, 1, 0.5), "slope 2 ≈ 1"),
    "counterexample =": (lambda: refute("a-row", 1.25, "=", 1.25), "1.25 ≠ 1.25"),
    "counterexample ≤": (lambda: refute("a-row", 1.25, "≤", 1.5), "1.25 > 1.5"),
    "counterexample ≥": (lambda: refute("a-row", 1.5, "≥", 1.25), "1.5 < 1.25"),
}


@pytest.fixture(autouse=True)
def small_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger of one row, whose texts hold every character that HTML treats apart."""
    monkeypatch.setattr(statements, "ledger", lambda: {ROW.id: ROW})


def shown(call: Callable[..., Row], *sides: Any, **options: Any) -> str:
    """What a claim prints after its id."""
    return re.sub(r"^\[[^]]*\] a-row: ", "", str(call("a-row", *sides, **options)))


def fails(call: Callable[..., Row], *sides: Any, **options: Any) -> None:
    """Asserts that a claim does not hold."""
    with pytest.raises(ClaimError):
        call("a-row", *sides, **options)


def refused(message: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    """Asserts that arguments are refused with a message that matches."""
    with pytest.raises(ValueError, match=message):
        call(*arguments, **options)


# A row, and a block of rows


@pytest.mark.parametrize("name", HOLDING)
def test_row_is_one_line_and_a_block_of_its_own(name: str) -> None:
    make, line = HOLDING[name]
    row, bundle = make(), make()._repr_mimebundle_()
    assert str(row) == line
    assert set(bundle) == {"text/plain", "text/html", evidence.MIME}
    data = json.loads(json.dumps(bundle[evidence.MIME], allow_nan=False))
    assert [Row(data["id"], **stored) for stored in data["rows"]] == [row]
    text = BeautifulSoup(bundle["text/html"], "html.parser").get_text()
    assert row.standing in text
    for part in (row.what, row.left, row.relation, row.claimed):
        assert evidence.as_math(part) in text


def test_block_sums_up_its_rows_and_folds_all_but_three() -> None:
    rows = [HOLDING[name][0]() for name in HOLDING]
    block = evidence.evidence(*rows)
    assert block.head == (
        "8 checks hold (1 vacuous), the tightest at 0.75 of its bound; 2 counterexamples; "
        "3 measurements"
    )
    assert str(block).splitlines()[0] == f"[evidence] a-row: {block.head}"
    assert len(str(block).splitlines()) == 1 + len(rows)
    html = BeautifulSoup(block._repr_html_(), "html.parser")
    assert len(html.select("details .lc-row")) == len(rows) - 3
    assert len(html.select(".lc-row")) == len(rows)
    assert not html.select("img")
    assert evidence.evidence(rows[3]).head == "1 check holds, at 0.75 of its bound"
    assert evidence.evidence(*rows, show=1).data()["show"] == 1


def test_block_is_of_one_statement() -> None:
    row, other = (Row(name, "holds", "", "1") for name in ("a-row", "another"))
    refused(r"of the statements \['a-row', 'another'\]", evidence.evidence, row, other)
    refused(r"of the statements \[\]", evidence.evidence)
    refused("show: 4; expected a number from 0 to 3", evidence.evidence, row, show=4)


def test_numbers_in_scientific_notation_become_formulas_outside_of_formulas() -> None:
    text = "below 1e-12, 2.5e+06 of $1e-3$; version v1e-12"
    assert evidence.as_math(text) == (
        "below $10^{-12}$, $2.5\\cdot 10^{6}$ of $1e-3$; version v1e-12"
    )


@pytest.mark.parametrize("name", FAILING)
def test_failure_has_id_title_source_and_both_sides(name: str) -> None:
    make, sides = FAILING[name]
    with pytest.raises(ClaimError) as caught:
        make()
    for part in (ROW.id, ROW.title, ROW.source, sides):
        assert part in str(caught.value)
    assert isinstance(caught.value, AssertionError)
    assert caught.value._render_traceback_() == [f"ClaimError: {caught.value}"]


def test_unknown_id_is_named() -> None:
    message = "'no-such-row' is not in the ledger; expected one of"
    refused(message, equal, "no-such-row", 1, 1)
    refused(message, at_most, "no-such-row", 1, 2)
    refused(message, at_least, "no-such-row", 2, 1)
    refused(message, with_high_probability, "no-such-row", 100, 100, 0.5)
    refused(message, exponent, "no-such-row", X, X, 1, 0.1)
    refused(message, refute, "no-such-row", 1, "=", 2)
    refused(message, measured, "no-such-row", DRAWS, what="x")
    refused(message, wins, "no-such-row", DRAWS, DRAWS, what="x")


# Rounding


def test_float_is_rounded_to_three_digits_and_what_is_exact_is_not() -> None:
    assert rounded(-0.0) == "0"
    assert rounded(-2 / 3) == "-0.667"
    assert rounded(1234.0) == "1230"
    assert rounded(99951.0) == "100000"
    assert rounded(-999400.0) == "-999000"
    assert rounded(999600.0) == "1e+06"
    assert rounded(1e-9) == "1e-09"
    assert rounded(np.float32(0.5)) == "0.5"
    assert rounded(0.1235 * (1 - 3e-7)) == "0.123"
    assert rounded(0.1235 * (1 + 3e-7)) == "0.124"
    assert rounded(12345678901234567890) == "12345678901234567890"
    assert rounded(7 * 10**400) == "about 7.00e+400"
    assert rounded(Fraction(1, 4 * 10**30)) == "about 2.50e-31"
    assert rounded(np.int16(-5123)) == "-5123"
    assert rounded(Fraction(22222, 7)) == "22222/7"


def test_value_without_safe_digits_is_refused() -> None:
    refused("not finite", rounded, math.nan)
    refused("not finite", rounded, -math.inf)
    refused(r"edge at 2 digits \((0\.12 or 0\.13|0\.13 or 0\.12)\)", rounded, 0.125, 2)
    refused("edge at 1 digits", rounded, 2.5, 1)
    refused("edge at 4 digits", rounded, -0.99995, 4)
    refused("edge at 4 digits", rounded, 1.0005e9, 4)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.floats(-1e12, 1e12).filter(lambda x: abs(x) > 1e-12), st.integers(1, 6))
def test_refused_exactly_if_an_edge_is_within_one_in_ten_million(value: float, digits: int) -> None:
    unit = Decimal(10) ** (Decimal(value).adjusted() - digits + 1)
    steps = Decimal(value) / unit
    edge = (steps - Decimal("0.5")).to_integral_value() + Decimal("0.5")
    away = abs(steps - edge) / abs(steps)
    try:
        text = rounded(value, digits)
    except ValueError:
        assert away <= Decimal(1.001 * claims.EDGE)
    else:
        assert away >= Decimal(0.999 * claims.EDGE)
        assert abs(Decimal(text) / unit - steps) <= Decimal("0.5")


def test_figure_on_an_edge_is_refused_until_other_digits_are_chosen() -> None:
    for call, *sides in (
        (equal, 0.1235, 0.1235),
        (at_most, 0.1235, 1.0),
        (at_least, 0.1235, 0.0),
        (refute, 0.1235, "=", 1.0),
    ):
        refused("choose other digits", call, "a-row", *sides)
        assert "0.1235 " in shown(call, *sides, digits=4)


# Rounding errors never show: a result that another processor gives in the last bit looks the same


@pytest.mark.parametrize(
    "make",
    [
        lambda bit: shown(equal, 3.21e-14 * (1 + 1e-3 * bit), 0, atol=1e-9),
        lambda bit: shown(refute, 3.21e-17 * (1 + bit), "≥", 1.0),
        lambda bit: shown(exponent, FAR, FAR**1.5 + 3e-15 * bit * FAR, 1.5, 0.1),
        lambda bit: shown(exponent, X, 3.0 + bit * 1e-15 * X, 0, 0.1),
    ],
    ids=["identity", "counterexample", "exponent", "exponent zero"],
)
def test_last_bit_of_a_result_is_not_seen(make: Callable[[float], str]) -> None:
    assert len({make(bit) for bit in (0.5, 1.0, 2.0, 5.0, 7.0)}) == 1


def test_rounding_error_beside_a_figure_is_a_power_of_ten() -> None:
    assert shown(at_most, 0.9e-13, 1.0) == "below 1e-12 ≤ 1"
    assert shown(at_most, 1.1e-13, 1.0) == "below 1e-09 ≤ 1"
    assert shown(at_most, -4e-8, 1.0) == "below 1e-06 ≤ 1"
    assert shown(at_most, 0.0, 1.0) == "0 ≤ 1"
    assert shown(at_most, 3e-9, 4e-9) == "3e-09 ≤ 4e-09 (ratio 0.75)"
    assert shown(at_most, 1e-9, 1.0) == "1e-09 ≤ 1"  # a power of ten was asked for


# Identities


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (np.arange(3, dtype=np.uint8), [0, 1, 2]),
        ([Fraction(1, 2), 3], [Fraction(2, 4), Fraction(3)]),
        (np.True_, True),
        ([[10**30]], 10**30),
    ],
)
def test_integers_and_fractions_are_equal_exactly(left: Any, right: Any) -> None:
    assert shown(equal, left, right).endswith("(exactly)")
    fails(equal, np.asarray(left, dtype=object) + 1, right, rtol=9, atol=9)


def test_whole_numbers_neither_overflow_nor_wrap_around() -> None:
    far, low, high = np.array([2**62, 2**62]), np.uint8([5, 1]), np.uint8([3, 3])
    fails(equal, [2**63 + 1, -1], [2**63, -1])
    fails(at_most, far, -far - 5)
    fails(at_most, low, high)
    fails(at_least, high, low)
    fails(at_most, Fraction(1, 3) + Fraction(1, 10**30), Fraction(1, 3))
    fails(refute, np.uint8(1), "≤", np.uint8(2))
    assert shown(refute, np.int8(100), "≤", np.int8(-100))
    assert shown(refute, np.True_, "=", np.False_)
    assert shown(equal, 10**400, 10**400)
    assert shown(at_most, 2**2000, 3**2000)
    assert shown(refute, 3**2000, "≤", 2**2000)


def test_shapes_are_compared_before_anything_is_broadcast() -> None:
    refused(r"shapes \(3, 1\), \(3,\)", equal, "a-row", np.ones((3, 1)), np.ones(3))
    refused(r"shapes \(2,\), \(3,\)", at_most, "a-row", np.ones(2), np.ones(3))


def test_error_shown_is_a_power_of_ten_with_a_margin() -> None:
    def detail(error: float) -> str:
        return equal("a-row", [4.0 + 4 * error, 1.0], [4.0, 1.0], rtol=0.2).detail

    assert detail(0.0) == detail(0.9e-13) == "relative error below 1e-12"
    assert detail(1.1e-13) == detail(0.9e-10) == "relative error below 1e-09"
    assert detail(1.1e-10) == detail(0.9e-7) == "relative error below 1e-06"
    assert detail(0.9e-4) == "relative error below 1e-03"
    assert detail(1.1e-4) == "relative error 0.00011"
    assert detail(0.125) == "relative error 0.125"  # two digits would lie on a rounding edge
    assert equal("a-row", [1e-8, 0], [0, 0], atol=1e-6).detail == "error below 1e-06"


def test_tolerance_is_atol_plus_rtol_times_the_largest() -> None:
    for rtol, atol, seen in ((1e-6, 0.0, "1e-06"), (0.0, 1e-5, "1e-03"), (5e-7, 5e-6, "1e-03")):
        text = shown(equal, [10.0, 0.99e-5], [10.0, 0.0], rtol, atol=atol)
        assert text == f"2 pairs agree (relative error below {seen})"
        fails(equal, [10.0, 1.01e-5], [10.0, 0.0], rtol, atol=atol)


@pytest.mark.parametrize("left", [[], np.zeros(0, dtype=int), np.zeros((0, 3))])
def test_nothing_cannot_be_claimed(left: Any) -> None:
    for call in (equal, at_most, at_least):
        refused("empty; expected at least one number", call, "a-row", left, left)


def test_nan_never_holds() -> None:
    for call, *sides in (
        (equal, [1.0, math.nan], [1.0, 1.0]),
        (at_most, [0.5, math.nan], [1.0, 1.0]),
        (at_least, [3.0, 2.0], [math.nan, 1.0]),
        (refute, math.nan, "=", 1.0),
        (refute, 1.0, "≤", math.nan),
    ):
        with pytest.raises((ValueError, ClaimError)):
            call("a-row", *sides)


# Inequalities


def test_no_tolerance_in_an_inequality() -> None:
    fails(at_most, 1 + 1e-15, 1.0)
    fails(at_least, 1 - 1e-15, 1.0)
    for call in (at_most, at_least):
        assert json.dumps(call("a-row", 2.0, 2.0).ratio) == "1"  # as front ends write it


def test_pair_with_the_least_to_spare_for_its_size_is_shown() -> None:
    ratio = "(tightest of 3, ratio 0.75)"
    assert shown(at_most, [1.0, 30.0, 0.5], [2.0, 40.0, 3.0]) == f"30 ≤ 40 {ratio}"
    assert shown(at_least, [[2.0], [40], [9]], [[1], [30.0], [1]]) == f"40 ≥ 30 {ratio}"
    assert shown(at_most, [-2.0, -3.0], [-1.0, -2.9]) == "-3 ≤ -2.9 (tightest of 2)"
    assert shown(at_most, [False, True], 2) == "1 ≤ 2 (tightest of 2, ratio 0.5)"


def test_sides_that_differ_are_not_shown_as_equal() -> None:
    assert shown(at_most, 0.99998, 1.0) == "0.99998 ≤ 1 (ratio 0.999)"
    assert shown(at_most, 0.9951, 1.0) == "0.995 ≤ 1 (ratio 0.99)"
    assert shown(at_most, 1 - 1e-12, 1.0) == "1 ≤ 1 (ratio 1)"


def test_no_ratio_where_it_would_say_nothing() -> None:
    for sides in ((0, 0), (0, 3), (-1, 2), (1e-9, 1.0)):
        assert at_most("a-row", *sides).ratio is None


def test_vacuous_exactly_if_no_bound_beats_the_trivial_one() -> None:
    assert not at_most("a-row", 0.5, 2.0).vacuous
    assert at_most("a-row", 0.5, 1.5, trivial=1.5).vacuous
    assert at_most("a-row", 0.5, [1.6, 2.0], trivial=1.5).vacuous
    assert not at_most("a-row", 0.5, [1.4, 2.0], trivial=1.5).vacuous
    assert at_least("a-row", 0.5, 0.0, trivial=0.0).vacuous
    assert at_least("a-row", 0.5, [-1.0, -0.1], trivial=0.0).vacuous
    assert not at_least("a-row", 0.5, [-1.0, 0.1], trivial=0.0).vacuous


# Frequencies


def test_frequency_must_show_more_than_the_frequency() -> None:
    assert shown(with_high_probability, 459, 459, 0.99)  # 0.99**459 is just below 1/100
    fails(with_high_probability, 458, 458, 0.99)


def test_lower_bound_is_rounded_down() -> None:
    assert "at least 0.999 " in shown(with_high_probability, 100_000, 100_000, 0.99)
    assert "at least 0.949 " in shown(with_high_probability, 128, 129, 0.94)


def test_what_is_no_count_and_no_probability_is_refused() -> None:
    for k, n in ((-1, 5), (6, 5), (0, 0), (1, -1)):
        text = f"successes: {k} of trials: {n}; expected"
        refused(text, with_high_probability, "a-row", k, n, 0.5)
    for p in (-0.1, 0, 1, 1.5, math.nan):
        text = f"at_least: {p} is no probability; expected"
        refused(text, with_high_probability, "a-row", 5, 5, p)


# Exponents


def test_log_slope_is_numpys_fit_with_its_standard_error() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(1, 100, 12)
    y = 3 * x**-0.7 * np.exp(0.1 * rng.normal(size=12))
    coefficients, covariance = np.polyfit(np.log(x), np.log(y), 1, cov=True)
    expected = coefficients[0], np.sqrt(covariance[0, 0])
    assert log_slope(x, y) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("size", [1e-4, 0.01])
def test_standard_error_above_rounding_is_shown(size: float) -> None:
    y = X * (1 + size * np.array([1, -1, -1, 1]))
    error = re.search(r"standard error ([\d.e-]+), ", shown(exponent, X, y, 1, 0.1))
    assert error is not None
    assert float(error[1]) == pytest.approx(log_slope(X, y)[1], rel=0.05)


def test_slope_must_be_within_the_tolerance() -> None:
    for expected in (1.4, 1.6):
        assert shown(exponent, X, X**1.5, expected, 0.11)
        fails(exponent, X, X**1.5, expected, 0.09)


def test_slope_further_off_than_three_standard_errors_is_measured() -> None:
    y = X**1.5 * (1 + 1e-3 * np.array([1, -1, -1, 1]))
    assert exponent("a-row", X, y, 1.5, 0.1).standing == "holds"
    off = exponent("a-row", X, y, 1.45, 0.1)
    assert off.standing == "measured"
    assert re.search(r"\d+ standard errors away", off.detail)
    said = exponent("a-row", X, y, 1.45, 0.1, finite_size="0.05 from the second order")
    assert (said.standing, said.detail[-26:]) == ("holds", "0.05 from the second order")


def test_slope_shows_the_digits_asked_for_and_no_rounding_error() -> None:
    rest = "(standard error below 1e-06, tolerance 0.5)"
    assert shown(exponent, X, X**1.2344, 1.2344, 0.5, digits=4) == f"slope 1.234 ≈ 1.2344 {rest}"
    assert shown(exponent, X, [0.3] * 4, 0, 0.5) == f"slope 0 ≈ 0 {rest}"


def test_slope_needs_positive_numbers_at_three_places() -> None:
    refused("x, y: shapes", log_slope, [1, 2], [1, 2])
    refused("x, y: shapes", log_slope, [1, 2, 3], [1, 2])
    refused("x, y: shapes", log_slope, np.ones((3, 3)), np.ones((3, 3)))
    refused("expected positive numbers", log_slope, [1, 2, 0], [1, 2, 3])
    refused("expected positive numbers", log_slope, [1, 2, 3], [1, -2, 3])
    refused("expected positive numbers", log_slope, [1, 2, math.nan], [1, 2, 3])
    refused("1 different x", log_slope, [2, 2, 2], [1, 2, 3])
    refused("2 different x", log_slope, [1, 2, 2], [1, 2, 3])


# Counterexamples


def test_refuted_shows_the_negation() -> None:
    for left, relation, right, seen in (
        (1, "=", 2, "1 ≠ 2"),
        (2, "=", 1, "2 ≠ 1"),
        (1, "≥", 2, "1 < 2"),
        (-1, "≤", -2, "-1 > -2"),
    ):
        assert refute("a-row", left, relation, right).figures == seen


@pytest.mark.parametrize("relation", ["=", "≤"])
def test_break_must_exceed_the_margin_and_be_seen(relation: str) -> None:
    assert shown(refute, 1.02, relation, 1.0, margin=0.019, digits=5)
    fails(refute, 1.02, relation, 1.0, margin=0.020, digits=5)
    fails(refute, 0.1 + 0.2, relation, 0.3)
    refused("digits: both sides read 1 with 3", refute, "a-row", 1.00002, relation, 1.0)


def test_counterexample_says_what_it_refutes_by_a_known_relation() -> None:
    refused("relation: '<'; expected '=', '≤' or '≥'", refute, "a-row", 1, "<", 2)
    refused("claimed: ' '; expected", refuted, "a-row", 1, "=", 2, claimed=" ")


# Measurements


def test_measurement_rests_on_ten_draws() -> None:
    refused(
        r"values: shape \(9,\); expected a vector of at least 10", measured, "a-row", X9, what=""
    )
    refused(r"lower: shape \(9,\); expected", wins, "a-row", X9, X9, what="")


# The ledger


def problems(row: Statement) -> Iterator[str]:
    """What is wrong with a row of the ledger."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row.id):
        yield "its id has other than lower-case letters, digits and single hyphens"
    if not (BOOK / f"{row.chapter}.ipynb").is_file():
        yield f"no notebook {row.chapter}"
    if not {erratum.kind for erratum in row.errata} <= set(get_args(statements.Kind)):
        yield f"an erratum is one of {get_args(statements.Kind)}"
    errata = [(e.where, e.printed, e.corrected, e.why) for e in row.errata]
    for text in [row.title, row.source, *(text for e in errata for text in e)]:
        if not text.strip() or text != text.strip():
            yield f"empty, or space at an end: {text!r}"
        inside = "".join(re.findall(r"\$([^$]*)\$", text))
        if text.count("$") % 2 or inside.count("{") != inside.count("}"):
            yield f"mathematics that is not closed: {text}"
    if any(printed == corrected for _, printed, corrected, _ in errata):
        yield "an erratum that changes nothing"


def test_ledger_is_whole() -> None:
    assert LEDGER
    assert [f"{row.id}: {problem}" for row in LEDGER.values() for problem in problems(row)] == []
    assert [key for key, row in LEDGER.items() if row.id != key] == []
