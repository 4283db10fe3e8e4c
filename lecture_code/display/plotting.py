"""House style, palette and the way from a figure to what is stored, read and compared."""

from __future__ import annotations

import base64
import html
import io
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

# Okabe and Ito's palette, safe for colour-blind readers, neighbours differing in lightness.
BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW, BLACK = PALETTE = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#000000",
)
MIME = "application/vnd.lecture-code.figure+json"
GREY = "#555555"  # of lines that are only there to compare with
ROLES: Mapping[str, Mapping[str, str]] = tomllib.loads(
    resources.files(__package__).joinpath("roles.toml").read_text(encoding="utf-8")
)
ROLE = {name: shades["light"] for name, shades in ROLES.items()}  # in figures
LINES = ("-", "--", "-.", ":")
DPI = 110

STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "font.size": 11.0,
    "axes.titlesize": 11.0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5.0,
    "image.cmap": "cividis",
}


def use_style() -> None:
    """Sets the book's style for all figures that follow, whatever a user's own settings say."""
    mpl.rcdefaults()
    mpl.rcParams.update(STYLE)
    colours = mpl.cycler(color=PALETTE[:6]) + mpl.cycler(linestyle=[*LINES, *LINES[:2]])
    mpl.rcParams["axes.prop_cycle"] = colours


def figure(
    rows: int = 1, columns: int = 1, *, width: float = 6.4, height: float = 4.0, **options: Any
) -> tuple[Figure, Any]:
    """A figure of that size in inches, and its axes, as ``Figure.subplots`` gives them.

    It is not registered with pyplot, so nothing is drawn twice and nothing needs closing.
    """
    fig = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    return fig, fig.subplots(rows, columns, **options)


def pixels(fig: Figure) -> Image.Image:
    """The figure as an RGB picture on white ground; one made with pyplot is closed."""
    fig.patch.set(facecolor="white", alpha=1.0, visible=True)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    plt.close(fig)
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])


def panels(fig: Figure) -> int:
    """How many columns of axes a figure has, side by side."""
    places = [ax.get_subplotspec() for ax in fig.axes]
    return len({place.colspan.start for place in places if place}) or 1


def png(picture: Image.Image) -> bytes:
    """The picture as a PNG with a palette of at most 256 colours, without metadata."""
    few = few_colours(picture)
    palette = sorted(colour for _, colour in few.getcolors(256))
    place = np.array([65536, 256, 1], np.uint32)
    index = np.searchsorted(
        np.array(palette, np.uint32) @ place, np.asarray(few, np.uint32) @ place
    )
    image = Image.fromarray(index.astype(np.uint8), mode="P")
    image.putpalette([level for colour in palette for level in colour])
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def webp(picture: Image.Image) -> bytes:
    """The picture as a lossless WebP of at most 256 colours."""
    buffer = io.BytesIO()
    few_colours(picture).save(buffer, format="WEBP", lossless=True, method=4)
    return buffer.getvalue()


def few_colours(picture: Image.Image) -> Image.Image:
    """The picture itself if it has at most 256 colours, else with 255 and white."""
    if picture.getcolors(256) is not None:
        return picture
    small = picture.quantize(255, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    pixel, reduced = np.asarray(picture), np.array(small.convert("RGB"))
    reduced[(pixel == 255).all(axis=-1)] = 255
    return Image.fromarray(reduced)


def data_uri(image: bytes, kind: str) -> str:
    """An image as the text that stands for it in a page."""
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def image_tag(src: str, alt: str, size: tuple[int, int]) -> str:
    """A picture as an HTML image, its alternative text and its width and height given."""
    return f'<img src="{src}" alt="{html.escape(alt)}" width="{size[0]}" height="{size[1]}">'


@dataclass(frozen=True)
class Picture:
    """A figure with its alternative text and caption, ready to be displayed."""

    image: Image.Image
    alt: str
    caption: str
    panels: int = 1  # side by side

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        size = list(self.image.size)
        tag = image_tag(data_uri(webp(self.image), "webp"), self.alt, self.image.size)
        return {
            "text/plain": f"[figure] {self.alt}",
            "text/html": f'<figure class="plot">{tag}'
            f"<figcaption>{self.caption}</figcaption></figure>",
            "image/png": base64.b64encode(png(self.image)).decode("ascii"),
            MIME: {
                "alt": self.alt,
                "caption": self.caption,
                "size": size,
                "panels": self.panels,
            },
        }


def show(fig: Figure, *, alt: str, caption: str) -> Picture:
    """Displays a figure: ``alt`` says what is seen, ``caption`` (HTML, with $math$) its meaning."""
    if not alt.strip():
        raise ValueError(f"alt: {alt!r}; expected a text that says what is seen")
    check_caption(caption)
    return Picture(pixels(fig), alt, caption, panels(fig))


def check_caption(caption: str) -> None:
    r"""Refuses a caption that is empty, or that pages and notebooks would show differently.

    A dollar is written ``\$``; in a formula ``<`` is ``\lt`` or has a space behind it.
    """
    if not caption.strip():
        raise ValueError(f"caption: {caption!r}; expected a text that says what to look at")
    pieces = re.split(r"(?<!\\)\$", caption)
    formulas = pieces[1::2]
    if len(pieces) % 2 == 0 or any(text != text.strip() for text in formulas):
        raise ValueError(f"caption: {caption!r}; expected formulas as $x$ and dollars as \\$")
    if any(re.search("<[A-Za-z/!]|&[a-z#]", text) for text in formulas):
        raise ValueError(
            f"caption: {caption!r}; expected \\lt or '< ' in formulas, and no HTML there"
        )


def note(ax: Axes, x: float, y: float, text: str, *, colour: str = BLACK, **options: Any) -> None:
    """A direct label just right of a point."""
    settings = {"xytext": (4, 0), "va": "center", "fontsize": 10, **options}
    ax.annotate(text, (x, y), textcoords="offset points", color=colour, **settings)


def contours(ax: Axes, x: np.ndarray, y: np.ndarray, values: np.ndarray, levels: Any) -> None:
    """Filled contours of ``values[i, j]`` at ``(x[j], y[i])``, thin lines between the levels."""
    ax.contourf(x, y, values, levels=levels, extend="max", cmap="cividis_r")
    ax.contour(x, y, values, levels=levels, colors="black", linewidths=0.3)
    ax.grid(False)
