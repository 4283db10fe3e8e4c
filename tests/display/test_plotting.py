"""House style: what is stored is what was drawn, on white, in colours that everybody can tell."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Callable, Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from lecture_code.display import plotting

encoders = pytest.mark.parametrize("encode", [plotting.png, plotting.webp])
Encoder = Callable[[Image.Image], bytes]


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """The style of one test is not that of the next."""
    with mpl.rc_context():
        yield


@pytest.fixture(scope="module")
def plot() -> Image.Image:
    """An ordinary plot: four lines, their labels, and far more than 256 shades."""
    with mpl.rc_context():
        plotting.use_style()
        fig, ax = plotting.figure()
        x = np.linspace(0, 1, 50)
        for power in (1, 2, 3, 4):
            ax.plot(x, x**power)
            plotting.note(ax, 0.5, 0.5**power, f"$x^{power}$")
        ax.set(xlabel="$x$", ylabel="powers")
        return plotting.pixels(fig)


def shades(count: int) -> Image.Image:
    """A picture of that many colours next to each other in lightness and hue."""
    k = np.arange(60 * 80) % count
    rgb = np.stack([255 - k % 256, 250 - k // 2 % 251, 255 - k // 3], axis=-1)
    return Image.fromarray(rgb.reshape(60, 80, 3).astype(np.uint8))


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def colours(picture: np.ndarray) -> int:
    """How many different colours a picture has."""
    return np.unique(picture.astype(int) @ [1 << 16, 1 << 8, 1]).size


# From a figure to pixels


def test_figure_has_the_size_and_the_axes_asked_for() -> None:
    assert plotting.pixels(plotting.figure()[0]).size == (704, 440)
    fig, axes = plotting.figure(2, 3, width=4.6, height=3.3, sharex=True)
    assert plotting.pixels(fig).size == (506, 363)
    assert axes.shape == (2, 3)
    assert axes[0, 0].get_shared_x_axes().joined(axes[0, 0], axes[1, 2])


@pytest.mark.parametrize("colour", ["black", "none"])
def test_ground_is_white_whatever_the_figure_and_the_theme_say(colour: str) -> None:
    plt.style.use("dark_background")
    plotting.use_style()
    fig, ax = plotting.figure(width=2, height=1.5)
    white = np.asarray(plotting.pixels(fig))
    assert (white == 255).all(axis=-1).mean() > 0.5
    fig.set_facecolor(colour)
    ax.patch.set_alpha(0)
    np.testing.assert_array_equal(np.asarray(plotting.pixels(fig)), white)


def test_pyplot_keeps_only_the_figures_it_had() -> None:
    kept, drawn = plt.figure(), plt.figure()
    plotting.figure()
    plotting.pixels(drawn)
    try:
        assert plt.get_fignums() == [kept.number]
    finally:
        plt.close("all")


# From pixels to bytes


@encoders
@pytest.mark.parametrize("count", [1, 2, 17, 255, 256])
def test_up_to_256_colours_are_stored_without_loss(encode: Encoder, count: int) -> None:
    picture = np.asarray(shades(count))
    assert colours(picture) == count
    np.testing.assert_array_equal(decoded(encode(shades(count))), picture)


@encoders
def test_plot_of_many_colours_keeps_its_white_and_256_within_a_shade(
    plot: Image.Image, encode: Encoder
) -> None:
    data = encode(plot)
    assert data == encode(plot.copy())
    assert len(data) < 25_000  # forty of them, a quarter each, are within 250 kB
    drawn, stored = np.asarray(plot), decoded(data)
    assert colours(stored) <= 256 < colours(drawn)
    ground = (drawn == 255).all(axis=-1)
    assert ground.mean() > 0.5
    assert (stored[ground] == 255).all()
    error = stored.astype(float) - drawn
    assert np.sqrt(np.mean(error**2)) < 2  # the difference that counts as none between two runs


def test_png_holds_nothing_but_the_picture(plot: Image.Image) -> None:
    data = plotting.png(plot)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    kinds, at = [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kinds.append(data[at + 4 : at + 8])
        at += 12 + length
    assert list(dict.fromkeys(kinds)) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    np.testing.assert_array_equal(decoded(data), decoded(plotting.webp(plot)))


# What is displayed


@pytest.mark.parametrize(("alt", "caption"), [(" \n", "c"), ("a", "\t")])
def test_figure_without_words_is_refused(alt: str, caption: str) -> None:
    with pytest.raises(ValueError, match="expected a text that says"):
        plotting.show(plotting.figure()[0], alt=alt, caption=caption)


def test_figure_is_shown_in_three_forms() -> None:
    fig, _ = plotting.figure(width=2, height=1.5)
    alt = 'a < b & "line"'
    bundle = plotting.show(fig, alt=alt, caption="<b>Up</b> $x$")._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/png", plotting.MIME}
    assert bundle["text/plain"] == f"[figure] {alt}"
    soup = BeautifulSoup(bundle["text/html"], "html.parser")
    assert [tag.name for tag in soup.find_all(True)] == ["figure", "img", "figcaption", "b"]
    assert str(soup.figcaption) == "<figcaption><b>Up</b> $x$</figcaption>"
    image = soup.img
    assert image is not None
    assert (image["alt"], image["width"], image["height"]) == (alt, "220", "165")
    head, _, body = image["src"].partition(",")
    assert head == "data:image/webp;base64"
    png = base64.b64decode(bundle["image/png"])
    np.testing.assert_array_equal(decoded(base64.b64decode(body)), decoded(png))


@pytest.mark.parametrize(("rows", "columns", "panels"), [(2, 1, 1), (1, 3, 3), (2, 2, 2)])
def test_a_picture_says_how_many_panels_stand_side_by_side(
    rows: int, columns: int, panels: int
) -> None:
    fig, axes = plotting.figure(rows, columns)
    first = axes.flat[0]
    first.twinx()
    fig.colorbar(first.imshow([[0, 1]]), ax=first)
    bundle = plotting.show(fig, alt="a", caption="c")._repr_mimebundle_()
    assert bundle[plotting.MIME]["panels"] == panels


# Helpers that draw


def test_note_stands_just_right_of_its_point_and_takes_options() -> None:
    fig, ax = plotting.figure()
    ax.set(xlim=(0, 2), ylim=(0, 2))
    plotting.note(ax, 1, 1, "here", colour=plotting.GREEN)
    plotting.note(ax, 1, 1, "left", ha="right", fontsize=7)
    fig.draw_without_rendering()
    here, left = ax.texts
    box, at = here.get_window_extent(), ax.transData.transform((1, 1))
    assert 0 < box.x0 - at[0] < 10
    assert abs((box.y0 + box.y1) / 2 - at[1]) < 3
    assert here.get_color() == plotting.GREEN
    assert (left.get_ha(), left.get_fontsize()) == ("right", 7)


def test_contours_have_x_along_columns_and_y_along_rows() -> None:
    _, ax = plotting.figure()
    x, y = np.linspace(0, 1, 5), np.linspace(10, 12, 4)
    plotting.contours(ax, x, y, np.broadcast_to(x, (4, 5)), [0.3, 0.6])
    lines = ax.collections[-1]
    for path, level in zip(lines.get_paths(), (0.3, 0.6), strict=True):
        np.testing.assert_allclose(path.vertices[:, 0], level, rtol=1e-12)
        assert (path.vertices[:, 1].min(), path.vertices[:, 1].max()) == (10, 12)


# The palette


def test_palette_is_the_one_published_for_every_eye() -> None:
    # Okabe and Ito, "Color Universal Design": sRGB levels from 0 to 255.
    published = [0, 114, 178, 230, 159, 0, 0, 158, 115, 204, 121, 167]
    published += [86, 180, 233, 213, 94, 0, 240, 228, 66, 0, 0, 0]
    levels = 255 * np.ravel([to_rgb(colour) for colour in plotting.PALETTE])
    np.testing.assert_allclose(levels, published, atol=1e-9)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    c = np.array(to_rgb(colour))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(colour: str, ground: str = "#ffffff") -> float:
    """The ratio of luminances, the lighter one above."""
    dark, bright = sorted((luminance(colour), luminance(ground)))
    return (bright + 0.05) / (dark + 0.05)


def test_colours_contrast_with_white_as_graphics_must() -> None:
    # WCAG 2 asks for 3. The light ones are for areas, or lines with a label at their side.
    light = {plotting.ORANGE, plotting.SKY, plotting.YELLOW}
    assert {c for c in (*plotting.PALETTE, plotting.GREY) if contrast(c) < 3} == light


def test_colour_roles_are_legible_as_text_in_both_themes_and_differ() -> None:
    grounds = {"light": "#ffffff", "dark": "#1b2229"}  # the tint of a block, the darker case
    for theme, ground in grounds.items():
        shades = [shade[theme] for shade in plotting.ROLES.values()]
        assert len(set(shades)) == len(shades)
        assert min(contrast(shade, ground) for shade in shades) >= 4.5


def test_lines_differ_in_style_as_well_as_in_colour() -> None:
    plotting.use_style()
    _, ax = plotting.figure()
    lines = [ax.plot([0, 1], [0, k])[0] for k in range(6)]
    assert [to_hex(line.get_color()).upper() for line in lines] == list(plotting.PALETTE[:6])
    styles = [line.get_linestyle() for line in lines]
    assert all(a != b for a, b in itertools.pairwise(styles))
    assert len(set(styles[:4])) == 4
