"""Tables of figures: the text, the page and the JSON say the same, and nothing odd is shown."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup

from lecture_code.display import tables
from lecture_code.display.tables import Table, table


@pytest.fixture
def rules() -> Table:
    """Every kind of cell, a bar, and texts with mathematics and what HTML treats apart."""
    return table(
        ["rule & way", "error $e<1$", "chosen", "2ρ"],
        [
            ("<nearest>", 0.2, 7, Fraction(1, 2)),
            ("sum", 0.1444, np.int64(145), 0.25),
            ("best", 1e-9, None, -12.5),
        ],
        caption='Rules & the error $e<1$ of "each"',
        bars=["error $e<1$"],
    )


def parsed(shown: Table) -> BeautifulSoup:
    return BeautifulSoup(shown._repr_mimebundle_()["text/html"], "html.parser")


def test_text_is_aligned_and_stable(rules: Table) -> None:
    assert rules._repr_mimebundle_()["text/plain"] == (
        '[table] Rules & the error $e<1$ of "each"\n'
        "rule & way  error $e<1$  chosen      2ρ\n"
        "<nearest>         0.2         7  1/2\n"
        "sum               0.144     145    0.25\n"
        "best              1e-09          -12.5"
    )


def test_page_has_the_cells_of_the_json_under_their_headings(rules: Table) -> None:
    page, data = parsed(rules), rules._repr_mimebundle_()[tables.MIME]
    assert [tag.name for tag in page.find_all(recursive=False)] == ["table"]
    assert page.caption is not None
    assert page.caption.get_text() == data["caption"]
    assert [head.get_text() for head in page.select('thead th[scope="col"]')] == data["columns"]
    body = [row.find_all(recursive=False) for row in page.select("tbody tr")]
    assert [[c.get_text().rstrip("\u2007\u2008") for c in row] for row in body] == data["rows"]
    assert [[cell.get("scope") for cell in row] for row in body] == [["row"] + [None] * 3] * 3
    sides = [cell["style"].removeprefix("text-align:") for cell in body[0]]
    assert sides == data["align"] == ["left", "right", "right", "right"]


def test_points_stand_below_each_other(rules: Table) -> None:
    column = [row.select("td")[0].get_text() for row in parsed(rules).select("tbody tr")]
    assert column == ["0.2\u2007\u2007", "0.144", "1e-09"]
    mixed = table(["k", "x"], [("a", 3), ("b", 2.5), ("c", 0.25)], caption="c")
    column = [row.td.get_text() for row in parsed(mixed).select("tbody tr") if row.td]
    assert column == ["3\u2008\u2007\u2007", "2.5\u2007", "0.25"]


def test_json_holds_all_that_the_page_needs(rules: Table) -> None:
    data = json.loads(json.dumps(rules._repr_mimebundle_()[tables.MIME], allow_nan=False))
    assert Table(**data) == rules
    assert Table(**data)._repr_html_() == rules._repr_html_()


def test_bar_is_the_share_of_the_largest_and_is_not_read_out(rules: Table) -> None:
    assert rules.bars == {"error $e<1$": [1, 0.72, 5e-9]}
    assert isinstance(rules.bars["error $e<1$"][0], int)  # as front ends write it when they save
    bars = parsed(rules).select("td .bar")
    assert [bar["aria-hidden"] for bar in bars] == ["true"] * 3
    assert "#56B4E9 72%" in bars[1]["style"]
    assert [len(row.select(".bar")) for row in parsed(rules).select("tr")] == [0, 1, 1, 1]


def test_bars_of_zeros_are_empty() -> None:
    assert table(["k", "x"], {"a": [0], "b": [0.0]}, caption="c", bars=["x"]).bars == {"x": [0, 0]}


@pytest.mark.parametrize(
    ("formats", "cells"),
    [
        (None, ["a", "4", "1/3", "0.667", "-0.0001"]),
        (".2f", ["a", "4", "0.33", "0.67", "0.00"]),
        ({"x": ".0%", "y": ".1e"}, ["a", "4", "1/3", "67%", "-1.0e-04"]),
        ({"y": ".0%"}, ["a", "4", "1/3", "0.667", "0%"]),
        ({"y": ".0e", "n": "{:02d}".format, "k": str.upper}, ["A", "04", "1/3", "0.667", "-1e-04"]),
    ],
)
def test_formats_are_for_all_columns_or_by_heading(formats: Any, cells: list[str]) -> None:
    rows = [("a", 4, Fraction(1, 3), np.float64(2 / 3), -1e-4)]
    assert table("knfxy", rows, caption="c", formats=formats).rows == [cells]


def test_words_and_truth_values_stand_left() -> None:
    shown = table(["k", "held"], [(8, True), (9, np.False_)], caption="c")
    assert (shown.rows, shown.align) == ([["8", "True"], ["9", "False"]], ["right", "left"])


def test_rows_may_be_columns_zipped_or_cells_by_name() -> None:
    expected = table(["k", 1, 2], [["a", 3, 4], ["b", 5, 6]], caption="c")
    assert table(["k", 1, 2], zip("ab", [3, 5], [4, 6], strict=True), caption="c") == expected
    assert table(["k", 1, 2], {"a": np.array([3, 4]), "b": (5, 6)}, caption="c") == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.1235])
def test_float_that_has_no_safe_digits_needs_a_format(value: float) -> None:
    with pytest.raises(ValueError, match="value: "):
        table(["k", "x"], {"a": [value]}, caption="c")
    shown = table(["k", "x"], {"a": [value]}, caption="c", formats=".4g")
    assert shown.rows == [["a", f"{value:.4g}"]]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no words": ({"caption": " "}, "caption: ' ', rows: 1; expected"),
    "no rows": ({"rows": {}}, "caption: 'c', rows: 0; expected"),
    "no columns": ({"columns": []}, "columns: "),
    "heading twice": ({"columns": ["x", "x"]}, r"columns: \['x', 'x'\]"),
    "long row": ({"rows": [("a", 1), ("b", 1, 2)]}, r"rows of \[2, 3\] cells; expected"),
    "unknown format": ({"formats": {"y": ".2f"}}, r"formats, bars: \['y'\]; expected some of"),
    "unknown bar": ({"bars": ["y"]}, r"formats, bars: \['y'\]"),
    "bar below zero": ({"rows": {"a": [-1]}, "bars": ["x"]}, "bars: 'x' holds .*none below 0"),
    "bar without end": ({"rows": {"a": [math.inf]}, "bars": ["x"], "formats": "g"}, "bars: 'x'"),
    "bar of a word": ({"bars": ["k"]}, "bars: 'k' holds .*expected finite numbers"),
    "bar of nothing": ({"rows": {"a": [None]}, "bars": ["x"]}, "bars: 'x' holds"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        table(**{"columns": ["k", "x"], "rows": {"a": [1]}, "caption": "c", **options})
