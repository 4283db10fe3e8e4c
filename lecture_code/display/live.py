r"""Live figures: data from Python, drawn in the browser, with dials to turn and points to drag.

``live(name, program, data, figure, …)`` displays one object: JSON from which a page is made, where
``live/<program>.js`` draws it; a stored picture of the start, drawn by matplotlib from the same
data, for paper, JupyterLab and readers without scripts; and one line of text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from lecture_code.display import markup, plotting, widget
from lecture_code.display.explore import is_number
from lecture_code.display.markup import is_switch
from lecture_code.display.plotting import Picture, check_caption, pixels

MIME = "application/vnd.lecture-code.live+json"
PROGRAMS = markup.FOLDER / "programs.js"

Interval = tuple[float, float]
Place = tuple[float, float]
Plane = tuple[Interval, Interval]
Dial = Interval | Sequence[str]
Setting = float | str | Place
SCALES = ("linear", "x", "y", "xy")


@dataclass(frozen=True)
class Live:
    """A live figure; displays itself as JSON for a page, and as its stored picture elsewhere."""

    data: Mapping[str, Any]
    image: Image.Image
    alt: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        stored = Picture(self.image, self.alt, self.data["caption"])._repr_mimebundle_()
        del stored[plotting.MIME]
        text = f"[live] {self.data['name']}: {self.alt}"
        tag = plotting.image_tag(
            plotting.data_uri(plotting.png(self.image), "png"), self.alt, self.image.size
        )
        return {**stored, **widget.view(self.data, tag), MIME: self.data, "text/plain": text}


def live(
    name: str,
    program: str,
    data: Mapping[str, Any],
    figure: Figure,
    *,
    alt: str,
    caption: str,
    plane: Plane,
    axes: tuple[str, str],
    start: Mapping[str, Setting],
    dials: Mapping[str, Dial] | None = None,
    logs: Sequence[str] = (),
    steps: Mapping[str, float] | None = None,
    points: Mapping[str, str] | None = None,
    cells: Mapping[str, int] | None = None,
    panels: Sequence[tuple[Plane, tuple[str, str]]] = (),
    scales: Sequence[str] = (),
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
    plane : the least and the largest value on each axis of the first panel; points stay within.
    axes : what these axes are called, as plain text; two empty texts draw none.
    start : the setting that shows first: a number, a text or a place for each dial and point,
        a text of digits for cells.
    dials : per name the two ends of a continuous dial, or the texts of a switch.
    logs : the dials that run over powers of ten.
    steps : per dial the step in which it moves; it gets a button for one step.
    points : per name the colour role of a point to drag.
    cells : per name of a group of cells to click how many values each runs through, at most ten.
    panels : further panels beside the first one, each with its plane and its axes.
    scales : a word a panel, which of its axes is logarithmic; of ``SCALES``, all linear by default.
    labels : per dial or point what it is called, as plain text; its name by default.

    Raises
    ------
    ValueError : an unknown program or role, an empty interval, a switch of one text, a label of
        nothing, a scale that does not fit, or a start that is missing, unknown or out of range.
    """
    dials, points, labels = dict(dials or {}), dict(points or {}), dict(labels or {})
    steps, cells = dict(steps or {}), dict(cells or {})
    planes = [(plane, axes), *panels]
    scales = list(scales) or ["linear"] * len(planes)
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"name: {name!r}; expected lower-case letters, digits and hyphens")
    listed = re.findall(r"export \* as (\w+)", PROGRAMS.read_text(encoding="utf-8"))
    if program not in listed:
        raise ValueError(f"program: {program!r}; expected a drawing program, of {listed}")
    if not alt.strip():
        raise ValueError(f"alt: {alt!r}; expected a text that says what is seen")
    check_caption(caption)
    ends = [interval for sides, _ in planes for interval in sides]
    for interval in [*ends, *(dial for dial in dials.values() if not is_switch(dial))]:
        if not (len(interval) == 2 and all(map(is_number, interval)) and interval[0] < interval[1]):
            raise ValueError(f"dials, plane: {interval}; expected (low, high) with low < high")
    check_scales(scales, [sides for sides, _ in planes])
    check_dials(dials, logs, steps)
    for key, count in cells.items():
        if not (isinstance(count, int) and 2 <= count <= 10):
            raise ValueError(f"cells: {key} has {count!r} values; expected 2 to 10")
    unknown = sorted(set(points.values()) - set(plotting.ROLES))
    if unknown:
        raise ValueError(f"points: {unknown}; expected colour roles, of {sorted(plotting.ROLES)}")
    check_start(start, dials, points, cells, plane)
    stray = sorted(set(labels) - set(start))
    if stray:
        raise ValueError(f"labels: {stray} name no dial and no point, of {sorted(start)}")
    shown = {
        "name": name,
        "program": program,
        "data": dict(data),
        "panels": [
            {"plane": [list(side) for side in sides], "axes": list(titles), "scale": scale}
            for (sides, titles), scale in zip(planes, scales, strict=True)
        ],
        "dials": [
            {"name": key, "label": labels.get(key, key), "values": list(dial)}
            | ({"log": True} if key in logs else {})
            | ({"step": steps[key]} if key in steps else {})
            for key, dial in dials.items()
        ],
        "cells": cells,
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


def check_scales(scales: Sequence[str], planes: Sequence[Plane]) -> None:
    """Refuses a scale that is unknown, too many, or logarithmic where an axis is not positive."""
    if len(scales) != len(planes) or not set(scales) <= set(SCALES):
        raise ValueError(f"scales: {list(scales)}; expected a word a panel, of {list(SCALES)}")
    for scale, plane in zip(scales, planes, strict=True):
        for axis, (low, _) in zip("xy", plane, strict=True):
            if axis in scale and scale != "linear" and low <= 0:
                raise ValueError(f"scales: {axis} begins at {low}; expected a positive number")


def check_dials(dials: Mapping[str, Dial], logs: Sequence[str], steps: Mapping[str, float]) -> None:
    """Refuses a switch of one text, powers of what is not positive, and steps that do not fit."""
    for key, dial in dials.items():
        if is_switch(dial) and not len(dial) == len(set(dial)) >= 2:
            raise ValueError(f"dials: {key} has {list(dial)}; expected two or more distinct texts")
    for key in [*logs, *steps]:
        if key not in dials or is_switch(dials[key]):
            raise ValueError(f"logs, steps: {key!r}; expected a continuous dial")
    for key in logs:
        if dials[key][0] <= 0:
            raise ValueError(f"logs: {key} begins at {dials[key][0]}; expected a positive number")
    for key, step in steps.items():
        if key in logs or not 0 < step <= dials[key][1] - dials[key][0]:
            raise ValueError(f"steps: {key} has {step}; expected a step within a linear dial")


def check_start(
    start: Mapping[str, Setting],
    dials: Mapping[str, Dial],
    points: Mapping[str, str],
    cells: Mapping[str, int],
    plane: Plane,
) -> None:
    """Refuses a start that does not say, within its range, where all stand that can be moved."""
    names = [*dials, *points, *cells]
    if len(names) != len(set(names)) or set(start) != set(names):
        raise ValueError(f"start: {sorted(start)}; expected {sorted(names)}, each once")
    for key, at in start.items():
        if key in cells:
            digits = [str(digit) for digit in range(cells[key])]
            if not (isinstance(at, str) and at and set(at) <= set(digits)):
                raise ValueError(f"start: {key}={at!r}; expected a text of the digits {digits}")
            continue
        if key in points:
            right = len(at) == 2 and all(map(inside, at, plane))
        else:
            right = at in dials[key] if is_switch(dials[key]) else inside(at, dials[key])
        if not right:
            raise ValueError(f"start: {key}={at!r} is out of {dials.get(key, plane)}")


def inside(value: Any, interval: Interval) -> bool:
    """Whether a value is a number of the interval, its ends included."""
    return is_number(value) and interval[0] <= value <= interval[1]
