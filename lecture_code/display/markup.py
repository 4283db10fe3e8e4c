"""Live figures as HTML, the same on a page and in JupyterLab: the stage, its rows, their style."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from lecture_code.display import plotting

FOLDER = Path(__file__).with_name("live")
BUILT = FOLDER / "built"  # what the commands that install make of the scripts
CARRIED = ("dials", "points", "cells", "panels", "start", "data")  # what the kit reads
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def is_switch(dial: Sequence[float] | Sequence[str]) -> bool:
    """Whether a dial has a few texts instead of an interval."""
    return any(isinstance(value, str) for value in dial)


def opening(data: Mapping[str, Any]) -> str:
    """The beginning of a live figure, up to where its stored picture stands."""
    return (
        f'<figure class="live" id="{data["name"]}" data-program="{data["program"]}">'
        f'<div class="stage" data-panels="{len(data["panels"])}">'
    )


def closing(data: Mapping[str, Any]) -> str:
    """The end of a live figure: what the kit reads."""
    return (
        '<script type="application/json">'
        f"{script_data({key: data[key] for key in CARRIED})}</script></figure>"
    )


def script_data(data: Any) -> str:
    """JSON that can stand inside a script element, whatever its texts hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def style(dark: str) -> str:
    """The colour roles as variables, the dark ones where a selector matches, and what uses them."""
    blocks = [
        f"{where} {{ "
        + " ".join(f"--role-{name}: {shades[theme]};" for name, shades in plotting.ROLES.items())
        + " }\n"
        for where, theme in ((":root", "light"), (dark, "dark"))
    ]
    return "".join(blocks) + (FOLDER / "figure.css").read_text(encoding="utf-8")


def reading(dial: Mapping[str, Any], value: float) -> str:
    """A value as it stands beside its dial; the kit writes the same."""
    if dial.get("log") and 0.01 <= value < 10_000:
        return f"{float(f'{value:.2g}'):g}"
    if dial.get("log"):
        head, tail = f"{value:.1e}".split("e")
        return f"{head}·10{str(int(tail)).translate(RAISED)}"
    if float(dial.get("step", 0.5)).is_integer():
        return f"{value:.0f}"
    return f"{value:.2f}"


def controls(data: Mapping[str, Any]) -> str:
    """The rows of dials and switches under a live figure, as HTML."""
    return "".join(
        control(data["name"], dial, data["start"][dial["name"]]) for dial in data["dials"]
    )


def control(figure_name: str, dial: Mapping[str, Any], start: float | str) -> str:
    """The row of one continuous dial, or of one switch."""
    name, label = escape(dial["name"]), escape(dial["label"])
    place = f"{figure_name}-{name}"
    if is_switch(dial["values"]):
        buttons = "".join(
            f'<label class="choice"><input type="radio" name="{place}" autocomplete="off" '
            f'value="{escape(text)}"{" checked" * (text == start)}>'
            f"<span>{escape(text)}</span></label>"
            for text in dial["values"]
        )
        return (
            f'<div class="control" role="radiogroup" aria-labelledby="{place}-label" '
            f'data-name="{name}"><span class="label" id="{place}-label">{label}</span>'
            f'<span class="choices">{buttons}</span></div>'
        )
    low, high = (math.log10(end) if dial.get("log") else end for end in dial["values"])
    at = math.log10(start) if dial.get("log") else start
    one_step = f'<button type="button" class="next" aria-label="One step of {label}">›</button>'
    return (
        f'<div class="control" data-name="{name}"><label for="{place}">{label}</label>'
        '<span class="buttons"><button type="button" class="play" aria-pressed="false" '
        f'aria-label="Play {label}">▶</button>{one_step * ("step" in dial)}</span>'
        f'<input type="range" id="{place}" min="{low}" max="{high}" '
        f'step="{dial.get("step", "any")}" value="{at}" autocomplete="off" '
        f'aria-valuetext="{reading(dial, start)}">'
        f'<output for="{place}">{reading(dial, start)}</output></div>'
    )
