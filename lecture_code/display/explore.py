r"""Explorable figures: sliders that work with a kernel, on a static page, and on paper.

``explore(name, draw, alt=…, caption=…, k=[1, 2, 3])`` calls ``draw(k=…)`` for each value of the
grid and displays one object in four forms: live widgets where a kernel runs, JSON from which a page
is made, the first frame as PNG, and one line of text. All of them show the same frames.
"""

from __future__ import annotations

import base64
import html
import inspect
import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import ipywidgets
from matplotlib.figure import Figure
from PIL import Image

from lecture_code.display.plotting import (
    check_caption,
    data_uri,
    image_tag,
    panels,
    pixels,
    png,
    webp,
)

MIME = "application/vnd.lecture-code.explorable+json"
VIEW = "application/vnd.jupyter.widget-view+json"
MAX_FRAMES = 40
MAX_BYTES = 250_000

Value = float | int | str
Alt = str | Callable[..., str]


@dataclass(frozen=True)
class Slider:
    """One parameter: its values, its label (HTML, with $math$), its unit, and where it starts."""

    name: str
    values: tuple[Value, ...]
    label: str
    unit: str
    start: int

    @property
    def names(self) -> tuple[str, ...]:
        """The values as plain text: for screen readers, links and the live slider."""
        return tuple(map(plain, self.values))

    @property
    def spoken(self) -> str:
        """The label as plain text, for screen readers; the name if the label holds more."""
        text = self.label.replace("$", "")
        return self.name if set(text) & set('\\<&"') else text

    @property
    def texts(self) -> tuple[str, ...]:
        """The values as they are shown beside the slider: powers of ten as $math$."""
        return tuple(as_math(name) for name in self.names)


@dataclass(frozen=True)
class Frame:
    """The picture at one point of the grid, as WebP, and what is seen in it."""

    src: str
    alt: str
    size: tuple[int, int]

    @property
    def tag(self) -> str:
        """The picture as an HTML image."""
        return image_tag(self.src, self.alt, self.size)


@dataclass(frozen=True)
class Explorable:
    """A figure with sliders; displays itself in the richest form its place understands."""

    name: str
    caption: str
    sliders: tuple[Slider, ...]
    frames: tuple[Frame, ...]
    first: Image.Image
    panels: int  # side by side

    @property
    def start(self) -> dict[str, Value]:
        """The values that show first."""
        return {slider.name: slider.values[slider.start] for slider in self.sliders}

    def frame(self, **values: Value) -> Frame:
        """The stored frame at a point of the grid."""
        index = 0
        for slider in self.sliders:
            index = index * len(slider.values) + slider.values.index(values[slider.name])
        return self.frames[index]

    def widget(self) -> ipywidgets.VBox:
        """Live controls that show the frames drawn when the cell ran.

        To draw again here would use what later cells have made of the names in ``draw``.
        """
        controls = [
            ipywidgets.SelectionSlider(
                options=[
                    (n + slider.unit, v) for n, v in zip(slider.names, slider.values, strict=True)
                ],
                value=slider.values[slider.start],
                description=slider.label,
                style={"description_width": "initial"},
                layout={"width": "95%"},
            )
            for slider in self.sliders
        ]
        picture = ipywidgets.HTML(self.frame(**self.start).tag)

        def redraw(_: Any) -> None:
            values = {s.name: c.value for s, c in zip(self.sliders, controls, strict=True)}
            picture.value = self.frame(**values).tag

        for control in controls:
            control.observe(redraw, names="value")
        return ipywidgets.VBox([*controls, picture, ipywidgets.HTMLMath(self.caption)])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        live = self.widget()._repr_mimebundle_()
        at = ", ".join(f"{slider.name}={slider.names[slider.start]}" for slider in self.sliders)
        return {
            VIEW: live[VIEW],
            MIME: self.data(),
            "image/png": base64.b64encode(png(self.first)).decode("ascii"),
            "text/plain": f"[explorable] {self.name} at {at}: {self.frame(**self.start).alt}",
        }

    def data(self) -> dict[str, Any]:
        """What a page needs to show the figure, as JSON; each picture stands in it once."""
        sliders = [
            {
                "name": slider.name,
                "label": slider.label,
                "spoken": slider.spoken,
                "unit": slider.unit,
                "values": list(slider.names),
                "texts": list(slider.texts),
                "start": slider.start,
            }
            for slider in self.sliders
        ]
        return {
            "name": self.name,
            "caption": self.caption,
            "size": list(self.frames[0].size),
            "panels": self.panels,
            "sliders": sliders,
            "frames": [[frame.src, frame.alt] for frame in self.frames],
        }


def explore(
    name: str,
    draw: Callable[..., Figure],
    *,
    alt: Alt,
    caption: str,
    start: Mapping[str, Value] | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    **grid: Sequence[Value],
) -> Explorable:
    """Draws a figure at every point of a grid and joins the frames to an explorable.

    Parameters
    ----------
    name : the anchor of the figure on its page: lower-case letters, digits and hyphens.
    draw : takes the parameters of ``grid`` by name and returns a matplotlib figure.
    alt : what is seen, said for each frame: a function of the same parameters, or a text with
        ``{parameter}`` fields.
    caption : what to look at and what it means; HTML, may hold ``$math$``.
    start : the values that show first; a parameter not named starts at its first value.
    labels, units : per parameter, the text beside its slider (its name by default; not math alone,
        which not every screen reader can say) and its unit.
    grid : the values of each parameter, in the order in which the slider runs through them.

    Raises
    ------
    ValueError : an empty grid, more than 40 frames or 250 kB, a value twice, an unknown parameter,
        a start off the grid, a label without a word, or a ``draw`` that does not take the
        parameters or returns no figure.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"name: {name!r}; expected lower-case letters, digits and hyphens")
    check_caption(caption)
    for option, given in (("start", start), ("labels", labels), ("units", units)):
        if given is not None and not isinstance(given, Mapping):
            raise ValueError(f"{option}: {given!r}; expected a mapping from parameters")
    start, labels, units = dict(start or {}), dict(labels or {}), dict(units or {})
    _check_grid(draw, grid, start, labels, units)
    sliders = tuple(
        _slider(key, tuple(values), start.get(key, values[0]), labels.get(key), units.get(key))
        for key, values in grid.items()
    )
    frames, first, columns = [], None, 1
    for point in itertools.product(*(slider.values for slider in sliders)):
        values = dict(zip(grid, point, strict=True))
        fig = render(draw, values)
        picture = pixels(fig)
        source = data_uri(webp(picture), "webp")
        frames.append(Frame(source, alt_text(alt, values), picture.size))
        if all(values[s.name] == s.values[s.start] for s in sliders):
            first, columns = picture, panels(fig)
    sizes = sorted({frame.size for frame in frames})
    if len(sizes) > 1:
        raise ValueError(f"{name}: frames of the sizes {sizes}; expected one size for all")
    size = sum(len(frame.src) * 3 // 4 for frame in frames)
    if size > MAX_BYTES:
        raise ValueError(
            f"{name}: {len(frames)} frames of {size // 1000} kB in all; expected at most "
            f"{MAX_BYTES // 1000} kB: draw fewer frames or simpler ones"
        )
    assert first is not None
    return Explorable(name, caption, sliders, tuple(frames), first, columns)


def render(draw: Callable[..., Figure], values: Mapping[str, Value]) -> Figure:
    """The figure that ``draw`` makes of these values; ``ValueError`` if it makes none."""
    fig = draw(**values)
    if not isinstance(fig, Figure):
        raise ValueError(
            f"draw: returned {type(fig).__name__} at {dict(values)}; expected a matplotlib Figure"
        )
    return fig


def alt_text(alt: Alt, values: Mapping[str, Value]) -> str:
    """What is seen at these values; ``ValueError`` if that is nothing."""
    if callable(alt):
        text = alt(**values)
    else:
        try:
            text = alt.format(**values)
        except (KeyError, IndexError) as error:
            raise ValueError(f"alt: {alt!r} asks for {error}; expected {sorted(values)}") from None
    if not text.strip():
        raise ValueError(f"alt: empty at {dict(values)}; expected a text that says what is seen")
    return text


def plain(value: Value) -> str:
    """A value as text: integers in full, other numbers to six digits, zero without a sign."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, Integral) else f"{value + 0.0:.6g}"


def as_math(number: str) -> str:
    """A number like ``1e-08`` as ``$10^{-8}$``; any other text, its HTML characters escaped."""
    match = re.fullmatch(r"(-?)([\d.]+)e([+-]\d+)", number)
    if not match:
        return html.escape(number)
    factor = match[1] + ("" if match[2] == "1" else match[2] + "\\cdot ")
    return f"${factor}10^{{{int(match[3])}}}$"


def _check_grid(
    draw: Callable[..., Figure],
    grid: Mapping[str, Sequence[Value]],
    start: Mapping[str, Value],
    labels: Mapping[str, str],
    units: Mapping[str, str],
) -> None:
    empty = [key for key, values in grid.items() if len(values) == 0]
    if not grid or empty:
        raise ValueError(f"grid: no values for {empty or 'any parameter'}; expected at least one")
    for key, values in grid.items():
        odd = [v for v in values if not (isinstance(v, str) or is_number(v))]
        if odd:
            raise ValueError(f"grid: {key} holds {odd}; expected finite numbers or texts")
        if len(set(values)) < len(values):
            raise ValueError(f"grid: {key} has a value twice: {list(values)}")
    count = 1
    for values in grid.values():
        count *= len(values)
    if count > MAX_FRAMES:
        raise ValueError(f"grid: {count} frames; expected at most {MAX_FRAMES}")
    try:
        inspect.signature(draw).bind(**dict.fromkeys(grid))
    except TypeError as error:
        raise ValueError(
            f"draw: does not take the parameters {sorted(grid)} by name ({error})"
        ) from None
    wrong = {key: text for key, text in (labels | units).items() if not isinstance(text, str)}
    if wrong:
        raise ValueError(f"labels, units: {wrong}; expected texts")
    for what, given in (("start", start), ("labels", labels), ("units", units)):
        unknown = sorted(set(given) - set(grid))
        if unknown:
            raise ValueError(f"{what}: {unknown} are not in the grid {sorted(grid)}")
    for key, value in start.items():
        if value not in grid[key]:
            raise ValueError(f"start: {key}={value!r} is not one of {list(grid[key])}")


def is_number(value: Any) -> bool:
    """Whether a value is a finite number that a page can hold: no fraction, no NaN."""
    return isinstance(value, Real) and not isinstance(value, Fraction) and math.isfinite(value)


def _slider(
    key: str, values: tuple[Value, ...], start: Value, label: str | None, unit: str | None
) -> Slider:
    slider = Slider(key, values, label or key, f" {unit}" if unit else "", values.index(start))
    if not re.sub(r"\$[^$]*\$|<[^>]*>", "", slider.label).strip():
        raise ValueError(f"labels: {slider.label!r} of {key}; expected a word beside the math")
    if len(set(slider.names)) < len(values):
        raise ValueError(f"grid: two values of {key} read the same: {list(slider.names)}")
    return slider
