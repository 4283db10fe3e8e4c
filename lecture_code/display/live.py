r"""Live figures: data from Python, drawn in the browser, with dials to turn and points to drag.

``live(name, program, data, figure, …)`` displays one object: JSON from which a page is made, where
``live/<program>.js`` draws it; a stored picture of the start, drawn by matplotlib from the same
data, for paper, JupyterLab and readers without scripts; and one line of text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from lecture_code.display import plotting
from lecture_code.display.explore import is_number
from lecture_code.display.plotting import Picture, check_caption, pixels

MIME = "application/vnd.lecture-code.live+json"
PROGRAMS = Path(__file__).with_name("live")

Interval = tuple[float, float]
Place = tuple[float, float]
Dial = Interval | Sequence[str]
Setting = float | str | Place


@dataclass(frozen=True)
class Live:
    """A live figure; displays itself as JSON for a page, and as its stored picture elsewhere."""

    data: Mapping[str, Any]
    image: Image.Image
    alt: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        stored = Picture(self.image, self.alt, self.data["caption"])._repr_mimebundle_()
        del stored[plotting.MIME]
        return {**stored, MIME: self.data, "text/plain": f"[live] {self.data['name']}: {self.alt}"}


def live(
    name: str,
    program: str,
    data: Mapping[str, Any],
    figure: Figure,
    *,
    alt: str,
    caption: str,
    plane: tuple[Interval, Interval],
    axes: tuple[str, str],
    start: Mapping[str, Setting],
    dials: Mapping[str, Dial] | None = None,
    points: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Live:
    """A figure that the reader's browser draws, and draws again as dials and points move.

    Parameters
    ----------
    name : the anchor of the figure on its page: lower-case letters, digits and hyphens.
    program : the drawing program, a file of ``lecture_code/display/live`` without its ending.
    data : what the program draws besides the setting; anything that JSON can hold.
    figure : the picture at the start, of the shape that the live figure is to have.
    alt : what is seen at the start; the program says the same, and goes on as the setting changes.
    caption : what to look at and what it means; HTML, may hold ``$math$``.
    plane : the least and the largest value on each axis; points stay within.
    axes : what the axes are called, as plain text.
    start : the setting that shows first: a number, a text or a place for each dial and point.
    dials : per name the two ends of a continuous dial, or the texts of a switch.
    points : per name the colour role of a point to drag.
    labels : per dial or point what it is called, as plain text; its name by default.

    Raises
    ------
    ValueError : an unknown program or role, an empty interval, a switch of one text, a label of
        nothing, or a start that is missing, unknown or out of range.
    """
    dials, points, labels = dict(dials or {}), dict(points or {}), dict(labels or {})
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"name: {name!r}; expected lower-case letters, digits and hyphens")
    if not (re.fullmatch(r"[a-z_]+", program) and (PROGRAMS / f"{program}.js").is_file()):
        raise ValueError(f"program: {program!r}; expected a drawing program in {PROGRAMS.name}/")
    if not alt.strip():
        raise ValueError(f"alt: {alt!r}; expected a text that says what is seen")
    check_caption(caption)
    for interval in [*plane, *(dial for dial in dials.values() if not is_switch(dial))]:
        if not (len(interval) == 2 and all(map(is_number, interval)) and interval[0] < interval[1]):
            raise ValueError(f"dials, plane: {interval}; expected (low, high) with low < high")
    for key, dial in dials.items():
        if is_switch(dial) and not len(dial) == len(set(dial)) >= 2:
            raise ValueError(f"dials: {key} has {list(dial)}; expected two or more distinct texts")
    unknown = sorted(set(points.values()) - set(plotting.ROLES))
    if unknown:
        raise ValueError(f"points: {unknown}; expected colour roles, of {sorted(plotting.ROLES)}")
    check_start(start, dials, points, plane)
    stray = sorted(set(labels) - set(start))
    if stray:
        raise ValueError(f"labels: {stray} name no dial and no point, of {sorted(start)}")
    shown = {
        "name": name,
        "program": program,
        "data": dict(data),
        "plane": [list(interval) for interval in plane],
        "axes": list(axes),
        "dials": [
            {"name": key, "label": labels.get(key, key), "values": list(dial)}
            for key, dial in dials.items()
        ],
        "points": [
            {"name": key, "label": labels.get(key, key), "role": role}
            for key, role in points.items()
        ],
        "start": {key: list(at) if key in points else at for key, at in start.items()},
        "caption": caption,
        "alt": alt,
    }
    image = pixels(figure)
    return Live({**shown, "size": list(image.size)}, image, alt)


def is_switch(dial: Dial) -> bool:
    """Whether a dial has a few texts instead of an interval."""
    return any(isinstance(value, str) for value in dial)


def check_start(
    start: Mapping[str, Setting],
    dials: Mapping[str, Dial],
    points: Mapping[str, str],
    plane: tuple[Interval, Interval],
) -> None:
    """Refuses a start that does not say, within its range, where each dial and point stands."""
    if set(dials) & set(points) or set(start) != set(dials) | set(points):
        raise ValueError(f"start: {sorted(start)}; expected {sorted([*dials, *points])}, each once")
    for key, at in start.items():
        if key in points:
            right = len(at) == 2 and all(map(inside, at, plane))
        else:
            right = at in dials[key] if is_switch(dials[key]) else inside(at, dials[key])
        if not right:
            raise ValueError(f"start: {key}={at!r} is out of {dials.get(key, plane)}")


def inside(value: Any, interval: Interval) -> bool:
    """Whether a value is a number of the interval, its ends included."""
    return is_number(value) and interval[0] <= value <= interval[1]
