"""Executable statements: what holds is shown, what fails raises, and the ledger is whole."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lecture_code.display import claims
from lecture_code.display.claims import Claim, ClaimError, Statement

BOOK = Path(__file__).parents[2] / "book"
LEDGER = claims.ledger()
HEAD = (
    Path(claims.__file__).with_name("ledger.toml").read_text(encoding="utf-8").partition("\n\n")[0]
)
KINDS = HEAD.partition("# kind: ")[2].split(" | ")
PROPERTY = settings(max_examples=200, deadline=None, derandomize=True, database=None)

ROW = Statement(
    id="a-row",
    chapter="a_chapter",
    title="Sums & <differences>",
    source='Lecture 1, "(1.1)"',
    kind="exact",
    statement="One and one is two.",
)
X = np.array([1.0, 2.0, 4.0, 8.0])
FAR = np.array([10.0, 30.0, 70.0, 110.0])

# For each kind a claim that holds, and the line it must print.
HOLDING: dict[str, tuple[Callable[[], Claim], str]] = {
    "identity": (
        lambda: claims.equal("a-row", 2 / 3, 2 / 3 + 1e-14, what="two thirds"),
        "[holds] a-row: two thirds: 0.667 = 0.667 (relative error below 1e-12)",
    ),
    "identity of arrays": (
        lambda: claims.equal("a-row", [1.0, 2.0], [1.0, 2.0]),
        "[holds] a-row: 2 pairs agree (relative error below 1e-12)",
    ),
    "exact identity": (
        lambda: claims.equal("a-row", Fraction(2, 6), Fraction(1, 3)),
        "[holds] a-row: 1/3 = 1/3 (exactly)",
    ),
    "inequality at most": (
        lambda: claims.at_most("a-row", [0.1, 0.3], 0.4, what="|<x,z>| & more"),
        "[holds] a-row: |<x,z>| & more: 0.3 ≤ 0.4 (tightest of 2, ratio 0.75)",
    ),
    "inequality at least": (
        lambda: claims.at_least("a-row", 8, 2, trivial=2),
        "[holds] a-row: 8 ≥ 2 (ratio 0.25; vacuous)",
    ),
    "inequality without ratio": (
        lambda: claims.at_most("a-row", -1, 0),
        "[holds] a-row: -1 ≤ 0",
    ),
    "frequency": (
        lambda: claims.with_high_probability("a-row", 200, 200, 0.95, what="runs"),
        "[holds] a-row: runs: 200 of 200 shows probability 0.95 "
        "(probability at least 0.977 with confidence 99%)",
    ),
    "exponent": (
        lambda: claims.exponent("a-row", X, [1.0, 4.1, 15.9, 64.0], 2, 0.1),
        "[holds] a-row: slope 2 ≈ 2 (standard error 0.01, tolerance 0.1)",
    ),
    "counterexample": (
        lambda: claims.refuted("a-row", 3, "≤", 2, what="a count"),
        "[holds] a-row: a count: 3 > 2 (the refuted statement has ≤ here)",
    ),
}

# For each kind a claim that fails, and the two sides that its message must show.
FAILING: dict[str, tuple[Callable[[], Claim], str, str]] = {
    "identity": (lambda: claims.equal("a-row", 1.25, 1.5), "1.25", "1.5"),
    "identity of arrays": (lambda: claims.equal("a-row", [1.0, 2.0], 1.0), "2 pairs", "error 1.0"),
    "exact identity": (lambda: claims.equal("a-row", Fraction(1, 3), Fraction(1, 4)), "1/3", "1/4"),
    "at most": (lambda: claims.at_most("a-row", [1.0, 2.5], 2.25), "2.5", "2.25"),
    "at least": (lambda: claims.at_least("a-row", [1.75, 3.0], 2.25), "1.75", "2.25"),
    "frequency": (lambda: claims.with_high_probability("a-row", 9, 10, 0.8), "9 of 10", "0.8"),
    "exponent": (lambda: claims.exponent("a-row", X, X**2, 1, 0.5), "slope 2", "≈ 1"),
    "counterexample =": (lambda: claims.refuted("a-row", 1.25, "=", 1.25), "1.25", "≠ 1.25"),
    "counterexample ≤": (lambda: claims.refuted("a-row", 1.25, "≤", 1.5), "1.25", "> 1.5"),
    "counterexample ≥": (lambda: claims.refuted("a-row", 1.5, "≥", 1.25), "1.5", "< 1.25"),
}

# A call of each function with an id of its own.
CALLS: dict[str, Callable[[str], Claim]] = {
    "equal": lambda key: claims.equal(key, 1, 1),
    "at_most": lambda key: claims.at_most(key, 1, 2),
    "at_least": lambda key: claims.at_least(key, 2, 1),
    "with_high_probability": lambda key: claims.with_high_probability(key, 100, 100, 0.5),
    "exponent": lambda key: claims.exponent(key, X, X, 1, 0.1),
    "refuted": lambda key: claims.refuted(key, 1, "=", 2),
}


@pytest.fixture(autouse=True)
def small_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger of one row, whose texts hold every character that HTML treats apart."""
    monkeypatch.setattr(claims, "ledger", lambda: {ROW.id: ROW})


def shown(claim: Claim) -> tuple[str, BeautifulSoup, dict[str, Any]]:
    """The three forms in which a claim displays itself."""
    bundle = claim._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", claims.MIME}
    return (
        bundle["text/plain"],
        BeautifulSoup(bundle["text/html"], "html.parser"),
        bundle[claims.MIME],
    )


# The three forms


@pytest.mark.parametrize("name", HOLDING)
def test_plain_text_is_one_stable_line(name: str) -> None:
    make, line = HOLDING[name]
    assert str(make()) == line
    assert shown(make())[0] == line


@pytest.mark.parametrize("name", HOLDING)
def test_text_html_and_json_show_the_same_figures(name: str) -> None:
    text, html, data = shown(HOLDING[name][0]())
    spans = {
        key: [span.get_text() for span in html.select(f".claim-{key}")]
        for key in ("what", "side", "relation", "detail")
    }
    assert spans == {
        "what": [data["what"] + ":"] if data["what"] else [],
        "side": [side for side in (data["left"], data["right"]) if side],
        "relation": [data["relation"]],
        "detail": [f"({data['detail']})"] if data["detail"] else [],
    }
    assert " ".join([data["left"], data["relation"], data["right"]]).strip() in text
    assert data["what"] in text
    assert data["detail"] in text
    assert data["vacuous"] == text.endswith("vacuous)") == bool(html.select(".claim-vacuous"))


@pytest.mark.parametrize("name", HOLDING)
def test_json_form_is_json(name: str) -> None:
    data = shown(HOLDING[name][0]())[2]
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert set(data) == {
        *("id", "kind", "what", "left", "relation", "right", "detail", "ratio", "vacuous")
    }


@pytest.mark.parametrize("name", HOLDING)
def test_json_form_names_row_and_kind(name: str) -> None:
    data = shown(HOLDING[name][0]())[2]
    assert data["id"] == ROW.id
    expected = "identity" if "identity" in name else name.split()[0]
    assert data["kind"] == expected


@pytest.mark.parametrize("name", HOLDING)
def test_html_form_is_one_card_with_title_and_id(name: str) -> None:
    _, html, data = shown(HOLDING[name][0]())
    (card,) = html.find_all(recursive=False)
    assert card.name == "div"
    assert card["class"] == ["claim", f"claim-{data['kind']}"]
    kind = "Counterexample: " if data["kind"] == "counterexample" else ""
    assert card.strong.get_text() == f"✓ {kind}{ROW.title}"
    assert card.code.get_text() == ROW.id


def test_html_form_knows_only_its_own_tags() -> None:
    html = shown(claims.equal("a-row", 1, 1, what="</span><img src=x> & \"'"))[1]
    assert {tag.name for tag in html.find_all(True)} == {"div", "p", "strong", "code", "span"}


@pytest.mark.parametrize(("small", "large"), [(1, 1), (1, 4), (3, 1000)])
def test_bar_has_the_length_of_the_ratio(small: int, large: int) -> None:
    _, html, data = shown(claims.at_most("a-row", small, large))
    (bar,) = html.select(".claim-bar")
    assert bar["style"] == f"--ratio:{data['ratio']:g}"
    assert data["ratio"] == pytest.approx(small / large)


def test_no_bar_without_a_ratio() -> None:
    assert not shown(claims.equal("a-row", 1, 1))[1].select(".claim-bar")


def test_claim_knows_its_statement() -> None:
    assert claims.equal("a-row", 1, 1).statement is ROW


def test_identity_that_fails_says_which_pair() -> None:
    with pytest.raises(claims.ClaimError, match=r"1 of 3 pairs differ, the first at \[1\]: 5 ≠ 2"):
        claims.equal("a-row", [1, 5, 3], [1, 2, 3])
    with pytest.raises(
        claims.ClaimError, match=r"2 of 2 pairs differ, the first at \[0, 0\]: 1\.5"
    ):
        claims.equal("a-row", [[1.5, 2.0]], [[1.0, 1.0]])


def test_failing_claim_shows_its_message_alone_in_a_notebook() -> None:
    error = claims.ClaimError("what and why")
    assert error._render_traceback_() == ["ClaimError: what and why"]


@pytest.mark.parametrize(("bound", "ratio"), [(2, "0.5"), (1, "1")])
def test_ratio_is_written_as_front_ends_write_it(bound: int, ratio: str) -> None:
    assert json.dumps(claims.at_most("a-row", 1, bound).ratio) == ratio


# Rounding


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1 / 3, "0.333"),
        (-2 / 3, "-0.667"),
        (1234.0, "1230"),
        (99951.0, "100000"),
        (-999400.0, "-999000"),
        (999600.0, "1e+06"),
        (1e-9, "1e-09"),
        (np.float64(0.1), "0.1"),
        (np.float32(0.5), "0.5"),
    ],
)
def test_float_is_rounded_to_three_digits(value: float, text: str) -> None:
    assert claims.rounded(value) == text


@pytest.mark.parametrize("value", [7, 12345678901234567890, np.int8(-5), Fraction(22, 7)])
def test_exact_number_is_not_rounded(value: Any) -> None:
    assert claims.rounded(value, digits=1) == str(value)


def test_zero_has_no_sign() -> None:
    assert claims.rounded(-0.0) == "0"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_value_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        claims.rounded(value)


@pytest.mark.parametrize(("value", "digits"), [(0.1235, 3), (2.5, 1), (-0.99995, 4), (1.0005e9, 4)])
def test_value_on_a_rounding_edge_is_refused(value: float, digits: int) -> None:
    with pytest.raises(ValueError, match="rounding edge"):
        claims.rounded(value, digits)


def test_refusal_names_both_roundings() -> None:
    with pytest.raises(ValueError, match=r"0\.12 or 0\.13|0\.13 or 0\.12"):
        claims.rounded(0.125, 2)


@pytest.mark.parametrize("turn", [-3e-7, 3e-7])
def test_value_beside_a_rounding_edge_is_shown(turn: float) -> None:
    assert claims.rounded(0.1235 * (1 + turn)) == ("0.123" if turn < 0 else "0.124")


@PROPERTY
@given(st.floats(-1e12, 1e12).filter(lambda x: abs(x) > 1e-12), st.integers(1, 6))
def test_refused_exactly_if_an_edge_is_within_one_in_ten_million(value: float, digits: int) -> None:
    unit = Decimal(10) ** (Decimal(value).adjusted() - digits + 1)
    steps = Decimal(value) / unit
    edge = (steps - Decimal("0.5")).to_integral_value() + Decimal("0.5")
    away = abs(steps - edge) / abs(steps)
    try:
        text = claims.rounded(value, digits)
    except ValueError:
        assert away <= Decimal(1.001 * claims.EDGE)
    else:
        assert away >= Decimal(0.999 * claims.EDGE)
        assert abs(Decimal(text) / unit - steps) <= Decimal("0.5")


@PROPERTY
@given(st.floats(1e-6, 1e6), st.floats(-1e-8, 1e-8))
def test_last_bits_do_not_turn_the_digits(value: float, noise: float) -> None:
    try:
        text = claims.rounded(value)
    except ValueError:
        return
    assert float(f"{value * (1 + noise):.3g}") == float(text)
    assert claims.rounded(float(text)) == text


@pytest.mark.parametrize(
    "call",
    [
        lambda: claims.equal("a-row", 0.1235, 0.1235),
        lambda: claims.at_most("a-row", 0.1235, 1.0),
        lambda: claims.at_least("a-row", 1.0, 0.1235),
        lambda: claims.refuted("a-row", 0.1235, "=", 1.0),
    ],
)
def test_claim_refuses_a_figure_on_an_edge(call: Callable[[], Claim]) -> None:
    with pytest.raises(ValueError, match="choose other digits"):
        call()


def test_other_digits_avoid_the_edge() -> None:
    assert claims.at_most("a-row", 0.1235, 1.0, digits=4).left == "0.1235"


# Identities


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (3, 3),
        (10**30, 10**30),
        ([1, 2, 3], [1, 2, 3]),
        (np.arange(3, dtype=np.uint8), [0, 1, 2]),
        ([Fraction(1, 2), 3], [Fraction(2, 4), Fraction(3)]),
        (True, True),
        (2, Fraction(4, 2)),
    ],
)
def test_integers_and_fractions_are_equal_exactly(left: Any, right: Any) -> None:
    assert claims.equal("a-row", left, right).detail == "exactly"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (10**30, 10**30 + 1),
        (2**62, 2**62 + 1),
        ([2**63 + 1, -1], [2**63, -1]),
        (Fraction(1, 3), Fraction(10**20, 3 * 10**20 + 1)),
        ([1, 2], [1, 3]),
    ],
)
def test_no_tolerance_between_integers_and_fractions(left: Any, right: Any) -> None:
    with pytest.raises(ClaimError):
        claims.equal("a-row", left, right, rtol=0.1, atol=0.1)


def test_fraction_against_float_is_not_exact() -> None:
    assert "relative error" in claims.equal("a-row", Fraction(1, 3), 1 / 3).detail


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (0.0, "relative error below 1e-12"),
        (0.9e-13, "relative error below 1e-12"),
        (1.1e-13, "relative error below 1e-09"),
        (0.9e-10, "relative error below 1e-09"),
        (1.1e-10, "relative error below 1e-06"),
        (0.9e-7, "relative error below 1e-06"),
        (0.9e-4, "relative error below 1e-03"),
        (1.1e-4, "relative error 0.00011"),
        (0.023, "relative error 0.023"),
    ],
)
def test_error_shown_is_a_power_of_ten_with_a_margin(error: float, detail: str) -> None:
    claim = claims.equal("a-row", [4.0 + 4 * error, 1.0], [4.0, 1.0], rtol=0.1)
    assert claim.detail == detail


def test_error_against_zero_is_absolute() -> None:
    assert claims.equal("a-row", [1e-8, 0], [0, 0], atol=1e-6).detail == "error below 1e-06"


@pytest.mark.parametrize(
    ("rtol", "atol", "shown"), [(1e-6, 0.0, "1e-06"), (0.0, 1e-5, "1e-03"), (5e-7, 5e-6, "1e-03")]
)
def test_tolerance_is_atol_plus_rtol_times_the_largest(
    rtol: float, atol: float, shown: str
) -> None:
    claim = claims.equal("a-row", [10.0, 0.99e-5], [10.0, 0.0], rtol, atol=atol)
    assert claim.detail == f"relative error below {shown}"
    with pytest.raises(ClaimError):
        claims.equal("a-row", [10.0, 1.01e-5], [10.0, 0.0], rtol, atol=atol)


def test_sides_are_broadcast() -> None:
    assert claims.equal("a-row", np.ones((2, 3)), 1).left == "6 pairs"


@pytest.mark.parametrize("call", [claims.equal, claims.at_most, claims.at_least])
@pytest.mark.parametrize("left", [[], np.zeros(0, dtype=int), np.zeros((0, 3))])
def test_nothing_cannot_be_claimed(call: Callable[..., Claim], left: Any) -> None:
    with pytest.raises(ValueError, match=r"empty|zero-size"):
        call("a-row", left, left)


@pytest.mark.parametrize(
    "call",
    [
        lambda bad: claims.equal("a-row", bad, 1.0),
        lambda bad: claims.equal("a-row", [1.0, bad], [1.0, 1.0]),
        lambda bad: claims.at_most("a-row", bad, 1.0),
        lambda bad: claims.at_most("a-row", [0.5, bad], [1.0, 1.0]),
        lambda bad: claims.at_least("a-row", 1.0, bad),
        lambda bad: claims.at_least("a-row", [3.0, 2.0], [bad, 1.0]),
        lambda bad: claims.refuted("a-row", bad, "=", 1.0),
        lambda bad: claims.refuted("a-row", 1.0, "≤", bad),
    ],
)
def test_nan_never_holds(call: Callable[[float], Claim]) -> None:
    with pytest.raises((ValueError, ClaimError)):
        call(math.nan)


# Inequalities


def test_boundary_holds() -> None:
    assert claims.at_most("a-row", 2, 2).ratio == claims.at_least("a-row", 2.0, 2.0).ratio == 1


@pytest.mark.parametrize("turn", [-1e-15, 1e-15])
def test_no_tolerance_in_an_inequality(turn: float) -> None:
    call = claims.at_most if turn > 0 else claims.at_least
    with pytest.raises(ClaimError):
        call("a-row", 1 + turn, 1.0)


def test_fractions_are_compared_exactly() -> None:
    nearly = Fraction(1, 3) + Fraction(1, 10**30)
    assert claims.at_most("a-row", Fraction(1, 3), nearly).left == "1/3"
    with pytest.raises(ClaimError):
        claims.at_most("a-row", nearly, Fraction(1, 3))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64])
def test_unsigned_integers_do_not_wrap_around(dtype: type) -> None:
    with pytest.raises(ClaimError):
        claims.at_most("a-row", np.array([5, 1], dtype), np.array([3, 3], dtype))
    with pytest.raises(ClaimError):
        claims.at_least("a-row", np.array([3, 3], dtype), np.array([5, 1], dtype))


def test_large_integers_do_not_overflow() -> None:
    large = np.array([2**62, 2**62])
    with pytest.raises(ClaimError):
        claims.at_most("a-row", large, -large - 5)


def test_truth_values_can_be_compared() -> None:
    assert claims.at_most("a-row", [False, True], True).relation == "≤"


def test_pair_of_the_largest_ratio_is_shown_for_at_most() -> None:
    claim = claims.at_most("a-row", [1.0, 30.0, 0.5], [2.0, 40.0, 3.0])
    assert (claim.left, claim.right, claim.ratio) == ("30", "40", 0.75)
    assert claim.detail == "tightest of 3, ratio 0.75"


def test_pair_with_the_least_to_spare_is_shown_for_at_least() -> None:
    claim = claims.at_least("a-row", [[2.0, 40.0], [3.0, 9.0]], [[1.0, 30.0], [0.5, 1.0]])
    assert (claim.left, claim.right, claim.ratio) == ("40", "30", 0.75)


def test_failing_pair_is_shown_among_pairs_that_hold() -> None:
    with pytest.raises(ClaimError, match="7 ≤ 6"):
        claims.at_most("a-row", [1, 7, 2], [100, 6, 2])


def test_least_negative_slack_relative_to_size_is_shown() -> None:
    claim = claims.at_most("a-row", [-2.0, -3.0], [-1.0, -2.9])
    assert (claim.left, claim.right, claim.ratio) == ("-3", "-2.9", None)


@pytest.mark.parametrize("sides", [(0, 0), (0, 3), (-1, 2), (1e-9, 1.0)])
def test_no_ratio_where_it_would_say_nothing(sides: tuple[float, float]) -> None:
    assert claims.at_most("a-row", *sides).ratio is None


@pytest.mark.parametrize(
    ("call", "observed", "bound", "trivial", "vacuous"),
    [
        (claims.at_most, 0.5, 2.0, None, False),
        (claims.at_most, 0.5, 2.0, 1.5, True),
        (claims.at_most, 0.5, 1.5, 1.5, True),
        (claims.at_most, 0.5, 1.4, 1.5, False),
        (claims.at_most, [0.5, 0.5], [1.4, 2.0], 1.5, False),
        (claims.at_most, [0.5, 0.5], [1.6, 2.0], 1.5, True),
        (claims.at_least, 0.5, -1.0, 0.0, True),
        (claims.at_least, 0.5, 0.0, 0.0, True),
        (claims.at_least, 0.5, 0.1, 0.0, False),
        (claims.at_least, [0.5, 0.5], [-1.0, 0.1], 0.0, False),
    ],
)
def test_vacuous_exactly_if_no_bound_beats_the_trivial_one(
    call: Callable[..., Claim], observed: Any, bound: Any, trivial: float | None, vacuous: bool
) -> None:
    assert call("a-row", observed, bound, trivial=trivial).vacuous is vacuous


def test_vacuous_claim_can_still_fail() -> None:
    with pytest.raises(ClaimError):
        claims.at_most("a-row", 3.0, 2.0, trivial=1.0)


@pytest.mark.parametrize(
    ("tiny", "text"),
    [
        (3e-16, "below 1e-12"),
        (0.9e-13, "below 1e-12"),
        (1.1e-13, "below 1e-09"),
        (4e-11, "below 1e-09"),
        (4e-8, "below 1e-06"),
        (-4e-8, "below 1e-06"),
    ],
)
def test_rounding_error_beside_a_figure_is_a_power_of_ten(tiny: float, text: str) -> None:
    claim = claims.at_most("a-row", tiny, 1.0)
    assert (claim.left, claim.right) == (text, "1")


def test_small_figure_beside_a_small_figure_is_shown() -> None:
    assert claims.at_most("a-row", 3e-9, 4e-9).left == "3e-09"


def test_zero_is_shown_as_zero() -> None:
    assert claims.at_most("a-row", 0.0, 1.0).left == "0"


# Rounding errors never show: a result that another processor gives in the last bit looks the same


@pytest.mark.parametrize(
    "make",
    [
        lambda bit: claims.equal("a-row", 3.21e-14 * (1 + 1e-3 * bit), 0, atol=1e-9),
        lambda bit: claims.refuted("a-row", 3.21e-17 * (1 + bit), "≥", 1.0),
        lambda bit: claims.exponent("a-row", FAR, FAR**1.5 + 3e-15 * bit * FAR, 1.5, 0.1),
        lambda bit: claims.exponent("a-row", X, 3.0 + bit * 1e-15 * X, 0, 0.1),
    ],
    ids=["identity", "counterexample", "exponent", "exponent zero"],
)
def test_last_bit_of_a_result_is_not_seen(make: Callable[[float], Claim]) -> None:
    assert len({str(make(bit)) for bit in (0.5, 1.0, 2.0, 5.0, 7.0)}) == 1


# Frequencies


@pytest.mark.parametrize("k", [0, 1, 7, 19, 20])
@pytest.mark.parametrize("confidence", [0.9, 0.99])
def test_clopper_pearson_is_scipys_exact_interval(k: int, confidence: float) -> None:
    lower, upper = claims.clopper_pearson(k, 20, confidence)
    sides = {
        side: stats.binomtest(k, 20, alternative=side).proportion_ci(confidence, "exact")
        for side in ("greater", "less")
    }
    assert lower == pytest.approx(sides["greater"].low, abs=1e-12)
    assert upper == pytest.approx(sides["less"].high, abs=1e-12)


def tail(k: int, n: int, p: float) -> float:
    """The probability of k or more successes in n trials, term by term."""
    return math.fsum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 5), (3, 5), (5, 5), (29, 30)])
def test_lower_bound_inverts_the_tail_probability(k: int, n: int) -> None:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(k, n, middle) <= 0.01 else (low, middle)
    assert claims.clopper_pearson(k, n)[0] == pytest.approx(low, rel=1e-10)


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 5), (3, 5), (4, 5), (1, 30)])
def test_upper_bound_mirrors_the_lower(k: int, n: int) -> None:
    upper = claims.clopper_pearson(k, n)[1]
    assert upper == pytest.approx(1 - claims.clopper_pearson(n - k, n)[0], rel=1e-10)


@pytest.mark.parametrize("p", [0.03, 0.3, 0.5, 0.77, 0.999])
def test_lower_bound_is_kept_with_its_confidence(p: float) -> None:
    n = 12
    kept = [claims.clopper_pearson(k, n)[0] <= p for k in range(n + 1)]
    probability = sum(tail(k, n, p) - tail(k + 1, n, p) for k in range(n + 1) if kept[k])
    assert probability >= claims.CONFIDENCE - 1e-12


def test_bounds_of_arrays_are_elementwise() -> None:
    lower, upper = claims.clopper_pearson([0, 3, 9], [9, 9, 9])
    pairs = [claims.clopper_pearson(k, 9) for k in (0, 3, 9)]
    np.testing.assert_array_equal(np.c_[lower, upper], pairs)


def test_all_and_none() -> None:
    assert claims.clopper_pearson(0, 7)[0] == 0
    assert claims.clopper_pearson(7, 7)[1] == 1
    assert claims.clopper_pearson(7, 7)[0] == pytest.approx(0.01 ** (1 / 7), rel=1e-12)


def test_frequency_must_show_more_than_the_frequency() -> None:
    claims.with_high_probability("a-row", 459, 459, 0.99)  # 0.99**459 is just below 1/100
    with pytest.raises(ClaimError):
        claims.with_high_probability("a-row", 458, 458, 0.99)


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, 0), (1, -1)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"successes: {k} of trials: {n}"):
        claims.with_high_probability("a-row", k, n, 0.5)


@pytest.mark.parametrize("p", [0, 1, -0.1, 1.5, math.nan])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=f"at_least: {p}"):
        claims.with_high_probability("a-row", 5, 5, p)


# Exponents


def test_log_slope_is_numpys_fit_with_its_standard_error() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(1, 100, 12)
    y = 3 * x**-0.7 * np.exp(0.1 * rng.normal(size=12))
    coefficients, covariance = np.polyfit(np.log(x), np.log(y), 1, cov=True)
    slope, error = claims.log_slope(x, y)
    assert slope == pytest.approx(coefficients[0], rel=1e-9)
    assert error == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-9)


@pytest.mark.parametrize("power", [-2.0, -0.5, 1.0, 3.0])
def test_log_slope_of_a_power_is_its_exponent(power: float) -> None:
    slope, error = claims.log_slope(X, 5 * X**power)
    assert slope == pytest.approx(power, rel=1e-12)
    assert error < 1e-6  # rounding under a square root


@pytest.mark.parametrize("size", [1e-4, 0.01])
def test_standard_error_above_rounding_is_shown(size: float) -> None:
    y = X * (1 + size * np.array([1, -1, -1, 1]))
    shown = re.match(r"standard error ([\d.e-]+), ", claims.exponent("a-row", X, y, 1, 0.1).detail)
    assert shown is not None
    assert float(shown[1]) == pytest.approx(claims.log_slope(X, y)[1], rel=0.05)


def test_slope_needs_two_different_x() -> None:
    with pytest.raises(ValueError, match=r"x: .*; expected numbers that are not all the same"):
        claims.log_slope([2, 2, 2], [1, 2, 3])


def test_constant_has_exponent_zero() -> None:
    assert claims.exponent("a-row", X, [0.3] * 4, 0, within=0.1).left == "slope 0"


@pytest.mark.parametrize(("within", "holds"), [(0.11, True), (0.09, False)])
def test_slope_must_be_within_the_tolerance(within: float, holds: bool) -> None:
    for expected in (1.4, 1.6):
        try:
            claims.exponent("a-row", X, X**1.5, expected, within)
        except ClaimError:
            assert not holds
        else:
            assert holds


def test_exponent_shows_the_digits_asked_for() -> None:
    assert claims.exponent("a-row", X, X**1.2344, 1, 0.5, digits=4).left == "slope 1.234"


@pytest.mark.parametrize(
    ("x", "y"),
    [([1, 2], [1, 2]), ([1, 2, 3], [1, 2]), (np.ones((3, 3)), np.ones((3, 3))), (3.0, 3.0)],
)
def test_slope_needs_two_vectors_of_three_or_more(x: Any, y: Any) -> None:
    with pytest.raises(ValueError, match="x, y: shapes"):
        claims.log_slope(x, y)


@pytest.mark.parametrize(
    ("x", "y"), [([1, 2, 0], [1, 2, 3]), ([1, 2, 3], [1, -2, 3]), ([1, 2, math.nan], [1, 2, 3])]
)
def test_slope_needs_positive_numbers(x: list[float], y: list[float]) -> None:
    with pytest.raises(ValueError, match="expected positive numbers"):
        claims.exponent("a-row", x, y, 1, 1)


# Counterexamples


@pytest.mark.parametrize(
    ("left", "relation", "right", "negation"),
    [(1, "=", 2, "≠"), (2, "=", 1, "≠"), (2, "≤", 1, ">"), (1, "≥", 2, "<"), (-1, "≤", -2, ">")],
)
def test_refuted_shows_the_negation(left: int, relation: Any, right: int, negation: str) -> None:
    claim = claims.refuted("a-row", left, relation, right)
    assert (claim.left, claim.relation, claim.right) == (str(left), negation, str(right))
    assert claim.detail == f"the refuted statement has {relation} here"


@pytest.mark.parametrize("relation", ["=", "≤"])
def test_break_must_exceed_the_margin(relation: Any) -> None:
    claims.refuted("a-row", 1.02, relation, 1.0, margin=0.019, digits=5)
    with pytest.raises(ClaimError):
        claims.refuted("a-row", 1.02, relation, 1.0, margin=0.020, digits=5)


def test_rounding_error_refutes_nothing() -> None:
    with pytest.raises(ClaimError):
        claims.refuted("a-row", 0.1 + 0.2, "=", 0.3)


def test_sides_that_differ_are_not_shown_as_the_same_figure() -> None:
    with pytest.raises(ValueError, match="digits"):
        claims.refuted("a-row", 1.00002, "≤", 1.0)


@pytest.mark.parametrize("relation", ["<", "≠", "", "<="])
def test_unknown_relation_is_refused(relation: Any) -> None:
    with pytest.raises(ValueError, match=f"relation: '{relation}'"):
        claims.refuted("a-row", 1, relation, 2)


# What every function does


@pytest.mark.parametrize("name", FAILING)
def test_failure_has_id_statement_and_both_sides(name: str) -> None:
    make, left, right = FAILING[name]
    with pytest.raises(ClaimError) as caught:
        make()
    for part in (ROW.id, ROW.source, ROW.statement, left, right):
        assert part in str(caught.value)


def test_failure_says_what_was_checked() -> None:
    with pytest.raises(ClaimError, match=r"\(a count\): 3 ≤ 2"):
        claims.at_most("a-row", 3, 2, what="a count")


def test_failure_is_an_assertion_error() -> None:
    assert issubclass(ClaimError, AssertionError)


@pytest.mark.parametrize("name", CALLS)
def test_unknown_id_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="'no-such-row' is not in the ledger; expected one of"):
        CALLS[name]("no-such-row")


@pytest.mark.parametrize("name", CALLS)
def test_known_id_is_kept(name: str) -> None:
    assert CALLS[name]("a-row").id == "a-row"


# The ledger


@pytest.mark.parametrize("key", LEDGER)
class TestRow:
    """Each row of the ledger."""

    def test_id_is_the_key(self, key: str) -> None:
        assert LEDGER[key].id == key
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key)

    def test_chapter_has_a_notebook(self, key: str) -> None:
        assert (BOOK / f"{LEDGER[key].chapter}.ipynb").is_file()

    def test_texts_say_something(self, key: str) -> None:
        row = LEDGER[key]
        for text in (row.title, row.source, row.statement):
            assert text == text.strip() != ""

    def test_kind_is_one_that_the_head_of_the_ledger_lists(self, key: str) -> None:
        assert LEDGER[key].kind in KINDS

    def test_errata_are_complete(self, key: str) -> None:
        for erratum in LEDGER[key].errata:
            for text in (erratum.where, erratum.printed, erratum.corrected, erratum.why):
                assert text == text.strip() != ""

    def test_math_is_closed(self, key: str) -> None:
        row = LEDGER[key]
        for text in (row.statement, *(e.printed + e.corrected + e.why for e in row.errata)):
            assert text.count("$") % 2 == 0
            inside = "".join(re.findall(r"\$([^$]*)\$", text))
            assert inside.count("{") == inside.count("}")


def test_ledger_has_rows_of_several_kinds() -> None:
    assert LEDGER
    assert {row.kind for row in LEDGER.values()} > {"exact", "inequality"}


def test_errata_differ_from_what_is_printed() -> None:
    for row in LEDGER.values():
        for erratum in row.errata:
            assert erratum.printed != erratum.corrected


def test_a_power_of_ten_that_was_asked_for_is_shown() -> None:
    assert claims.refuted("a-row", 0.45, "≤", 1e-9).right == "1e-09"
