"""Explorable figures: the same picture live, on the page and in Python, and no bad grid gets in."""

from __future__ import annotations

import base64
import inspect
import io
import itertools
import json
import re
from fractions import Fraction
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from lecture_code.display import explore as module
from lecture_code.display import plotting
from lecture_code.display.explore import Explorable, explore

WIDGET = "application/vnd.jupyter.widget-view+json"
GRID: dict[str, list[Any]] = {
    "share": [0.25, 0.5, 1.0],
    "step": [1e-6, 1.0, 1e3],
    "colour": ["blue", "green"],
}
START = {"share": 0.5, "step": 1.0, "colour": "green"}
POINTS = [dict(zip(GRID, point, strict=True)) for point in itertools.product(*GRID.values())]


def draw(share: float, step: float, colour: str) -> Figure:
    """A bar whose length shows one parameter, its height another and its colour the third."""
    fig, _ = plotting.figure(width=1.2, height=0.8, subplot_kw={"visible": False})
    height = {1e-6: 0.2, 1.0: 0.5, 1e3: 0.9}[step]
    bar = Rectangle((0, 0), share, height, transform=fig.transFigure, antialiased=False)
    bar.set(facecolor=getattr(plotting, colour.upper()), edgecolor="none")
    fig.add_artist(bar)
    return fig


def describe(share: float, step: float, colour: str) -> str:
    return f"A {colour} bar over {share:.0%} of the width, step {step:g}."


@pytest.fixture(scope="module")
def shown() -> Explorable:
    """Three sliders, one of each kind of value, that start off the first frame."""
    return explore(
        "bar-chart",
        draw,
        alt=describe,
        caption="<b>A bar.</b> Its length is $s$.",
        start=START,
        labels={"share": "share $s$", "step": "step $\\eta$"},
        units={"share": "m"},
        **GRID,
    )


def one(soup: BeautifulSoup | Tag, selector: str) -> Tag:
    """The only element that the selector finds."""
    (found,) = soup.select(selector)
    return found


def decoded(src: str) -> np.ndarray:
    """The pixels of a data URI, shape (height, width, 3)."""
    head, _, body = src.partition(",")
    assert head == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))).convert("RGB"))


def blank(k: Any) -> Figure:
    return Figure(figsize=(0.5, 0.5))


def simple(**options: Any) -> Explorable:
    """A small valid explorable, some of its arguments replaced."""
    arguments: dict[str, Any] = {
        "name": "simple",
        "draw": blank,
        "alt": "frame {k}",
        "caption": "What to see.",
        "k": [1, 2],
    }
    return explore(**(arguments | options))


# What is refused


def noisy(k: int) -> Figure:
    """A figure that cannot be compressed."""
    fig = Figure(figsize=(4, 4), dpi=110)
    fig.figimage(np.random.default_rng(k).integers(0, 256, (440, 440)), cmap="gray")
    return fig


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "empty parameter": ({"k": []}, r"grid: no values for \['k'\]"),
    "too many frames": (
        {"draw": lambda k, m: pytest.fail("drawn"), "k": range(41), "m": [1]},
        "grid: 41 frames; expected at most 40",
    ),
    "too many bytes": ({"draw": noisy}, r"simple: 2 frames of \d+ kB in all; expected at most 250"),
    "frames of two sizes": (
        {"draw": lambda k: Figure(figsize=(k, 1))},
        r"simple: frames of the sizes \[\(100, 100\), \(200, 100\)\]",
    ),
    "no number": ({"k": [float("nan"), 1.0]}, r"grid: k holds \[nan\]; expected finite numbers"),
    "fraction": ({"k": [Fraction(1, 2)]}, r"grid: k holds \[Fraction\(1, 2\)\]"),
    "units as a list": ({"units": ["m"]}, r"units: \['m'\]; expected a mapping"),
    "unit that is no text": ({"units": {"k": 5}}, r"labels, units: {'k': 5}; expected texts"),
    "price in the caption": ({"caption": "costs $5 and $10"}, "expected formulas as"),
    "tag in a formula": ({"caption": "where $a<b$"}, r"expected \\lt or '< ' in formulas"),
    "entity in a formula": ({"caption": "where $a &lt; b$"}, r"expected \\lt or '< '"),
    "value twice": ({"k": [1, 2, 1.0]}, r"grid: k has a value twice: \[1, 2, 1\.0\]"),
    "values that read the same": ({"k": [0.12345671, 0.12345672]}, "two values of k read the same"),
    "start of unknown parameter": ({"start": {"m": 1}}, r"start: \['m'\] are not in the grid"),
    "label of unknown parameter": ({"labels": {"m": "m"}}, r"labels: \['m'\]"),
    "label of math alone": ({"labels": {"k": "<i>$k$</i>"}}, r"labels: .* of k; expected a word"),
    "unit of unknown parameter": ({"units": {"m": "m"}}, r"units: \['m'\]"),
    "start off the grid": ({"start": {"k": 3}}, r"start: k=3 is not one of \[1, 2\]"),
    "draw returns axes": (
        {"draw": lambda k: plotting.figure()[1]},
        "draw: returned Axes at {'k': 1}; expected a matplotlib Figure",
    ),
    "draw lacks a parameter": ({"draw": lambda: None}, r"does not take the parameters \['k'\]"),
    "draw takes by position": ({"draw": lambda k, /: None}, "draw: does not take"),
    "alt empty at one frame": (
        {"alt": lambda k: "seen" if k == 1 else " "},
        "alt: empty at {'k': 2}",
    ),
    "alt of unknown parameter": ({"alt": "frame {m}"}, r"alt: 'frame {m}' asks for 'm'"),
    "alt with TeX braces": ({"alt": "$x^{2}$"}, "alt: .* asks for"),
    "empty caption": ({"caption": "\n "}, "caption: .*; expected a text"),
    "name in capitals": ({"name": "Bar"}, "name: 'Bar'; expected lower-case"),
    "name from a digit": ({"name": "1bar"}, "name: '1bar'"),
    "name with line end": ({"name": "bar\n"}, "name: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        simple(**options)


def test_no_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="grid: no values for any parameter"):
        explore("none", lambda: None, alt="a", caption="c")


@pytest.mark.parametrize("k", [range(40), (1.5, 2.5), np.array([0.1, 0.2]), ["a", "b"]])
def test_any_sequence_of_numbers_or_texts_is_a_grid(k: Any) -> None:
    shown = simple(draw=lambda **values: blank(**values), k=k)
    assert shown.sliders[0].values == tuple(k)
    assert len(shown.frames) == len(k)


# The frames


def test_frames_are_what_draw_draws_with_the_last_slider_fastest(shown: Explorable) -> None:
    for values, frame in zip(POINTS, shown.frames, strict=True):
        expected = np.asarray(plotting.pixels(draw(**values)))
        np.testing.assert_array_equal(decoded(frame.src), expected)
        assert frame.alt == describe(**values)
        assert shown.frame(**values) is frame


def test_each_frame_is_drawn_once() -> None:
    calls: list[int] = []

    def count(k: int) -> Figure:
        calls.append(k)
        return plt.figure(figsize=(0.5, 0.5))

    explorable = simple(draw=count, k=[3, 1, 2])
    explorable._repr_mimebundle_()
    assert calls == [3, 1, 2]
    assert plt.get_fignums() == []
    assert explorable.start == {"k": 3}
    assert [frame.alt for frame in explorable.frames] == ["frame 3", "frame 1", "frame 2"]


# What a page is made from


def test_json_holds_all_that_a_page_shows(shown: Explorable) -> None:
    data = json.loads(json.dumps(shown.data(), allow_nan=False))
    assert (data["name"], data["caption"]) == (shown.name, shown.caption)
    assert decoded(data["frames"][0][0]).shape == (data["size"][1], data["size"][0], 3)
    assert data["frames"] == [[frame.src, frame.alt] for frame in shown.frames]
    share, step, colour = data["sliders"]
    assert (share["label"], share["spoken"], share["unit"]) == ("share $s$", "share s", " m")
    assert (step["label"], step["spoken"]) == ("step $\\eta$", "step")
    assert step["values"] == ["1e-06", "1", "1000"]
    assert step["texts"] == ["$10^{-6}$", "1", "1000"]
    for slider, key in zip((share, step, colour), GRID, strict=True):
        assert slider["name"] == key
        assert slider["start"] == GRID[key].index(START[key])


# The texts of values


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1e-08", "$10^{-8}$"),
        ("-1e+06", "$-10^{6}$"),
        ("2.5e-07", "$2.5\\cdot 10^{-7}$"),
        ("-7", "-7"),
        ("1e5x", "1e5x"),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_power_of_ten_is_math(number: str, text: str) -> None:
    assert module.as_math(number) == text


def test_integers_are_shown_in_full_and_zero_without_a_sign() -> None:
    assert [module.plain(v) for v in (20240101, 10_000_001, -0.0, 2e-7)] == [
        "20240101",
        "10000001",
        "0",
        "2e-07",
    ]


def test_a_dollar_may_stand_in_a_caption() -> None:
    assert simple(caption=r"It costs \$5 where $a < b$.").caption


def test_values_have_a_plain_and_a_shown_form(shown: Explorable) -> None:
    slider = shown.sliders[1]
    assert slider.names == ("1e-06", "1", "1000")
    assert slider.texts == ("$10^{-6}$", "1", "1000")


# With a kernel


def test_live_picture_is_the_stored_frame(shown: Explorable) -> None:
    *sliders, image, caption = shown.widget().children
    assert isinstance(image, ipywidgets.HTML)
    assert [slider.value for slider in sliders] == list(START.values())
    assert image.value == shown.frame(**START).tag
    for values in POINTS:
        for slider, value in zip(sliders, values.values(), strict=True):
            slider.value = value
        assert image.value == shown.frame(**values).tag
    assert isinstance(caption, ipywidgets.HTMLMath)
    assert caption.value == shown.caption


def test_live_picture_does_not_hang_on_what_later_cells_change() -> None:
    shares = {1: 0.2, 2: 0.9}
    explorable = simple(draw=lambda k: draw(shares[k], 1, "blue"), k=[1, 2])
    kept = explorable.frame(k=2)
    shares.clear()
    box = explorable.widget()
    box.children[0].value = 2
    assert box.children[1].value == kept.tag


def test_live_sliders_have_labels_and_units(shown: Explorable) -> None:
    share, step, colour = shown.widget().children[:3]
    assert [share.description, step.description, colour.description] == [
        "share $s$",
        "step $\\eta$",
        "colour",
    ]
    assert [label for label, _ in share.options] == ["0.25 m", "0.5 m", "1 m"]
    assert [label for label, _ in step.options] == ["1e-06", "1", "1000"]


# All forms together


def test_bundle_has_four_forms(shown: Explorable) -> None:
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {WIDGET, module.MIME, "image/png", "text/plain"}
    assert set(bundle[WIDGET]) == {"version_major", "version_minor", "model_id"}
    assert bundle[module.MIME] == shown.data()
    assert shown.data()["panels"] == 1


def test_text_form_is_one_stable_line(shown: Explorable) -> None:
    line = (
        "[explorable] bar-chart at share=0.5, step=1, colour=green: "
        "A green bar over 50% of the width, step 1."
    )
    assert [shown._repr_mimebundle_()["text/plain"] for _ in range(2)] == [line, line]


def test_png_is_the_first_frame(shown: Explorable) -> None:
    png = base64.b64decode(shown._repr_mimebundle_()["image/png"])
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    expected = decoded(shown.frame(**START).src)
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), expected)


def test_every_argument_of_explore_is_documented() -> None:
    described = inspect.getdoc(explore) or ""
    for name in inspect.signature(explore).parameters:
        assert re.search(rf"^(\w+, )*{name}(, \w+)* :", described, re.MULTILINE), name
