"""Explorable figures: the same picture live, on the page and in Python, and no bad grid gets in."""

from __future__ import annotations

import base64
import inspect
import io
import itertools
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

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


@pytest.fixture(scope="module")
def html(shown: Explorable) -> BeautifulSoup:
    return BeautifulSoup(shown._repr_html_(), "html.parser")


@pytest.fixture(scope="module")
def data(html: BeautifulSoup) -> dict[str, Any]:
    """What the page's script reads."""
    return json.loads(one(html, 'script[type="application/json"]').get_text())


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


# The page


def test_one_figure_with_the_name_as_anchor(html: BeautifulSoup) -> None:
    figure = one(html, "figure")
    assert figure["id"] == "bar-chart"
    assert figure["class"] == ["explorable"]
    assert figure.figcaption is not None


def test_ids_are_unique(html: BeautifulSoup) -> None:
    ids = [tag["id"] for tag in html.select("[id]")]
    assert sorted(ids) == ["bar-chart", *(f"bar-chart-{name}" for name in sorted(GRID))]


def test_first_picture_is_the_start(html: BeautifulSoup, shown: Explorable) -> None:
    image, frame = one(html, "img"), shown.frame(**START)
    assert image["src"] == frame.src
    assert image["alt"] == frame.alt
    assert decoded(image["src"]).shape == (int(image["height"]), int(image["width"]), 3)


@pytest.mark.parametrize("name", GRID)
class TestControl:
    """The control of one parameter."""

    def test_input_is_a_range_over_the_values(self, html: BeautifulSoup, name: str) -> None:
        control = one(html, f'input[name="{name}"]')
        assert control["type"] == "range"
        assert (control["min"], control["step"]) == ("0", "1")
        assert control["max"] == str(len(GRID[name]) - 1)
        assert control["value"] == str(GRID[name].index(START[name]))

    def test_label_and_output_are_bound_to_the_input(self, html: BeautifulSoup, name: str) -> None:
        control = one(html, f'input[name="{name}"]')
        row = control.parent
        assert row is not None
        assert one(row, "label").get_attribute_list("for") == [control["id"]]
        assert one(row, "output").get_attribute_list("for") == [control["id"]]

    def test_button_says_what_it_plays(self, html: BeautifulSoup, name: str) -> None:
        row = one(html, f'input[name="{name}"]').parent
        assert row is not None
        button = one(row, "button")
        assert button["type"] == "button"  # it must not submit a form
        assert button["aria-label"] == {"share": "Play share s"}.get(name, f"Play {name}")
        assert button["aria-pressed"] == "false"

    def test_script_finds_values_and_texts(self, data: dict[str, Any], name: str) -> None:
        slider = data["sliders"][list(GRID).index(name)]
        assert len(slider["values"]) == len(slider["texts"]) == len(GRID[name])
        assert set(slider) == {"values", "texts", "unit"}


@pytest.mark.parametrize(
    ("name", "label", "output", "spoken"),
    [
        ("share", "share $s$", "0.5 m", "0.5 m"),
        ("step", "step $\\eta$", "1", "1"),
        ("colour", "colour", "green", "green"),
    ],
)
def test_label_and_value_are_shown_and_spoken(
    html: BeautifulSoup, name: str, label: str, output: str, spoken: str
) -> None:
    control = one(html, f'input[name="{name}"]')
    assert control.parent is not None
    assert one(control.parent, "label").get_text() == label
    assert one(control.parent, "output").get_text() == output
    assert control["aria-valuetext"] == spoken


def test_script_finds_the_frames(data: dict[str, Any], shown: Explorable) -> None:
    assert set(data) == {"sliders", "frames"}
    assert data["frames"] == [[frame.src, frame.alt] for frame in shown.frames]


def test_index_as_the_script_counts_it_leads_to_the_frame(
    data: dict[str, Any], shown: Explorable
) -> None:
    for at in itertools.product(*(range(len(values)) for values in GRID.values())):
        index = 0
        for slider, position in zip(data["sliders"], at, strict=True):
            index = index * len(slider["values"]) + position
        values = {key: GRID[key][i] for key, i in zip(GRID, at, strict=True)}
        assert data["frames"][index][1] == shown.frame(**values).alt


def test_link_leads_to_the_start(html: BeautifulSoup, data: dict[str, Any]) -> None:
    link = one(html, "figcaption a.setting")
    fragment = urlsplit(link["href"]).fragment
    name, _, query = fragment.partition("?")
    assert link["href"].startswith("#")
    assert name == "bar-chart"
    wanted = dict(parse_qsl(query, strict_parsing=True))
    assert wanted == {"share": "0.5", "step": "1", "colour": "green"}
    for slider, key in zip(data["sliders"], GRID, strict=True):
        assert wanted[key] in slider["values"]


def test_nothing_comes_from_elsewhere(html: BeautifulSoup) -> None:
    for tag in html.find_all(True):
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert tag.get(name, "#").startswith(("#", "data:image/webp;base64,"))
    assert not html.select("link, iframe, object, embed, script[src]")
    assert "//" not in module.SCRIPT
    assert not re.search(r"fetch|import|XMLHttp|url\(", module.SCRIPT)


def test_caption_is_html_as_given(html: BeautifulSoup) -> None:
    caption = one(html, "figcaption")
    assert one(caption, "b").get_text() == "A bar."
    assert caption.get_text().startswith("A bar. Its length is $s$. ")


EVIL = 'a "quoted" & <b>bold</b> </script><img src=x onerror=alert(1)> \u2028 $5 \\'


def test_alt_text_cannot_break_out(shown: Explorable) -> None:
    page = simple(alt=lambda k: f"{EVIL} {k}")._repr_html_()
    soup = BeautifulSoup(page, "html.parser")
    assert one(soup, "img")["alt"] == f"{EVIL} 1"
    assert len(soup.select("script")) == 2
    stored = json.loads(one(soup, 'script[type="application/json"]').get_text())
    assert [alt for _, alt in stored["frames"]] == [f"{EVIL} 1", f"{EVIL} 2"]


def test_alt_text_cannot_open_a_comment_in_the_script() -> None:
    # After "<!--" and "<script" a browser reads on past the script's own end tag.
    soup = BeautifulSoup(simple(alt="<!--<script> {k}")._repr_html_(), "html.parser")
    stored = one(soup, 'script[type="application/json"]').get_text()
    assert json.loads(stored)["frames"][0][1] == "<!--<script> 1"
    assert "<!--" not in stored


def test_values_are_escaped() -> None:
    page = BeautifulSoup(simple(k=["<i>", 'b"&'])._repr_html_(), "html.parser")
    assert one(page, "output").get_text() == "<i>"
    assert one(page, "input")["aria-valuetext"] == "<i>"
    assert not page.select("i")
    stored = json.loads(one(page, 'script[type="application/json"]').get_text())
    assert stored["sliders"][0]["values"] == ["<i>", 'b"&']
    assert stored["sliders"][0]["texts"] == ["&lt;i&gt;", "b&quot;&amp;"]


def test_script_is_small() -> None:
    assert len(module.SCRIPT.encode()) < 3000


def test_script_stands_once_after_the_figure(html: BeautifulSoup) -> None:
    figure, script = html.find_all(recursive=False)
    assert (figure.name, script.name) == ("figure", "script")
    assert str(script.string) == module.SCRIPT[len("<script>") : -len("</script>")]


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
    assert set(bundle) == {WIDGET, "text/html", "image/png", "text/plain"}
    assert set(bundle[WIDGET]) == {"version_major", "version_minor", "model_id"}
    assert bundle["text/html"] == shown._repr_html_()


def test_text_form_is_one_stable_line(shown: Explorable) -> None:
    line = (
        "[explorable] bar-chart at share=0.5, step=1, colour=green: "
        "A green bar over 50% of the width, step 1."
    )
    assert [shown._repr_mimebundle_()["text/plain"] for _ in range(2)] == [line, line]


def test_page_is_the_same_each_time() -> None:
    assert simple()._repr_html_() == simple()._repr_html_()


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
