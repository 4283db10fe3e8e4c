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
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from PIL import Image

from lecture_code.display import plotting

ENCODERS = [plotting.png, plotting.webp]
WHITE = (255, 255, 255)


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


def colours(picture: np.ndarray) -> np.ndarray:
    """The different colours of a picture, each as one number."""
    return np.unique(picture.astype(int) @ [1 << 16, 1 << 8, 1])


def one_line() -> tuple[Figure, Axes]:
    fig, ax = plotting.figure(width=2, height=1.5)
    ax.plot([0, 1], [0, 1])
    return fig, ax


# From a figure to pixels


@pytest.mark.parametrize(("width", "height"), [(6.4, 4.0), (3.2, 2.0), (4.6, 3.3)])
def test_picture_has_the_size_asked_for(width: float, height: float) -> None:
    fig, _ = plotting.figure(width=width, height=height)
    assert plotting.pixels(fig).size == (round(110 * width), round(110 * height))


def test_default_size() -> None:
    assert plotting.pixels(plotting.figure()[0]).size == (704, 440)


def test_axes_come_in_rows_and_columns() -> None:
    _, axes = plotting.figure(2, 3, width=3, height=2, sharex=True)
    assert axes.shape == (2, 3)
    assert axes[0, 0].get_shared_x_axes().joined(axes[0, 0], axes[1, 2])


@pytest.mark.parametrize("colour", ["black", "none", "#0072B2"])
def test_ground_is_white_whatever_the_figure_says(colour: str) -> None:
    fig, _ = one_line()
    fig.set_facecolor(colour)
    picture = plotting.pixels(fig)
    corners = [(0, 0), (picture.width - 1, 0), (0, picture.height - 1)]
    assert {picture.getpixel(corner) for corner in corners} == {WHITE}
    assert picture.mode == "RGB"


@pytest.mark.parametrize("theme", ["dark_background", "default"])
def test_ground_is_white_in_the_house_style(theme: str) -> None:
    plt.style.use(theme)
    plotting.use_style()
    picture = np.asarray(plotting.pixels(one_line()[0]))
    assert (picture == 255).all(axis=-1).mean() > 0.5


def test_see_through_figure_is_drawn_as_on_white() -> None:
    clear, white = one_line(), one_line()
    for part in (clear[0].patch, clear[1].patch):
        part.set_alpha(0)
    expected = np.asarray(plotting.pixels(white[0]))
    np.testing.assert_array_equal(np.asarray(plotting.pixels(clear[0])), expected)


def test_figure_is_unknown_to_pyplot() -> None:
    plotting.figure()
    assert plt.get_fignums() == []


def test_figure_made_with_pyplot_is_closed_and_no_other() -> None:
    kept, drawn = plt.figure(), plt.figure()
    plotting.pixels(drawn)
    try:
        assert plt.get_fignums() == [kept.number]
    finally:
        plt.close("all")


def test_same_figure_gives_the_same_pixels() -> None:
    first, second = (np.asarray(plotting.pixels(one_line()[0])) for _ in range(2))
    np.testing.assert_array_equal(first, second)


# From pixels to bytes


@pytest.mark.parametrize("encode", ENCODERS)
@pytest.mark.parametrize("count", [1, 2, 3, 17, 255, 256])
def test_up_to_256_colours_are_stored_without_loss(
    encode: Callable[[Image.Image], bytes], count: int
) -> None:
    picture = np.asarray(shades(count))
    assert len(colours(picture)) == count
    np.testing.assert_array_equal(decoded(encode(shades(count))), picture)


@pytest.mark.parametrize("encode", ENCODERS)
def test_plot_of_few_colours_is_stored_without_loss(
    encode: Callable[[Image.Image], bytes],
) -> None:
    fig, ax = plotting.figure(width=2, height=1.5)
    ax.text(0.1, 0.5, "text in shades of grey")
    picture = plotting.pixels(fig)
    assert 20 < len(colours(np.asarray(picture))) <= 256
    np.testing.assert_array_equal(decoded(encode(picture)), np.asarray(picture))


@pytest.mark.parametrize("encode", ENCODERS)
def test_ground_stays_white_when_stored(
    plot: Image.Image, encode: Callable[[Image.Image], bytes]
) -> None:
    ground = (np.asarray(plot) == 255).all(axis=-1)
    assert ground.mean() > 0.5
    assert (decoded(encode(plot))[ground] == 255).all()


@pytest.mark.parametrize("encode", ENCODERS)
def test_plot_of_many_colours_keeps_256_of_them_within_a_shade(
    plot: Image.Image, encode: Callable[[Image.Image], bytes]
) -> None:
    assert len(colours(np.asarray(plot))) > 256
    stored = decoded(encode(plot))
    assert len(colours(stored)) <= 256
    error = stored.astype(float) - np.asarray(plot)
    assert np.sqrt(np.mean(error**2)) < 2  # the difference that counts as none between two runs


def test_png_and_webp_hold_the_same_picture(plot: Image.Image) -> None:
    np.testing.assert_array_equal(decoded(plotting.png(plot)), decoded(plotting.webp(plot)))


@pytest.mark.parametrize("encode", ENCODERS)
def test_bytes_are_deterministic(plot: Image.Image, encode: Callable[[Image.Image], bytes]) -> None:
    assert encode(plot) == encode(plot.copy())


@pytest.mark.parametrize("encode", ENCODERS)
def test_frame_is_light(plot: Image.Image, encode: Callable[[Image.Image], bytes]) -> None:
    assert len(encode(plot)) < 25_000  # forty of them, a quarter each, are within 250 kB


def test_png_holds_nothing_but_the_picture(plot: Image.Image) -> None:
    data = plotting.png(plot)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    kinds, at = [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kinds.append(data[at + 4 : at + 8])
        at += 12 + length
    assert list(dict.fromkeys(kinds)) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]


def test_webp_is_webp(plot: Image.Image) -> None:
    assert Image.open(io.BytesIO(plotting.webp(plot))).format == "WEBP"


# What is displayed


def test_data_uri_decodes_to_the_bytes() -> None:
    head, _, body = plotting.data_uri(b"\x00\xff bytes", "png").partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(body) == b"\x00\xff bytes"


def test_image_tag_has_size_and_escaped_alternative_text() -> None:
    alt = 'a < b & "c"'
    soup = BeautifulSoup(plotting.image_tag("data:,x", alt, (80, 60)), "html.parser")
    (image,) = soup.find_all(True)
    assert (image.name, image["alt"], image["width"], image["height"]) == ("img", alt, "80", "60")
    assert image["src"] == "data:,x"


@pytest.mark.parametrize(
    ("alt", "caption"), [("", "c"), (" \n", "c"), ("a", ""), ("a", "\t"), ("", "")]
)
def test_figure_without_words_is_refused(alt: str, caption: str) -> None:
    with pytest.raises(ValueError, match="expected two texts that say something"):
        plotting.show(one_line()[0], alt=alt, caption=caption)


def test_figure_is_shown_in_three_forms() -> None:
    fig, _ = one_line()
    bundle = plotting.show(fig, alt='a "line"', caption="<b>Up</b> $x$")._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/png"}
    assert bundle["text/plain"] == '[figure] a "line"'
    soup = BeautifulSoup(bundle["text/html"], "html.parser")
    assert [tag.name for tag in soup.find_all(True)] == ["figure", "img", "figcaption", "b"]
    assert soup.img is not None
    assert soup.img["alt"] == 'a "line"'
    assert str(soup.figcaption) == "<figcaption><b>Up</b> $x$</figcaption>"
    pixels = np.asarray(plotting.pixels(fig))
    assert decoded(base64.b64decode(bundle["image/png"])).shape == pixels.shape


def test_showing_twice_gives_the_same_bundle() -> None:
    first, second = (
        plotting.show(one_line()[0], alt="a", caption="c")._repr_mimebundle_() for _ in range(2)
    )
    assert first == second


# Helpers that draw


def test_reference_is_dashed_and_labelled_at_its_right_end() -> None:
    _, ax = plotting.figure()
    plotting.reference(ax, [1, 2, 3], [4, 5, 6], "slope 1")
    (line,), (label,) = ax.lines, ax.texts
    assert line.get_linestyle() == "--"
    np.testing.assert_array_equal(line.get_xydata(), [[1, 4], [2, 5], [3, 6]])
    assert isinstance(label, Annotation)
    assert (label.get_text(), label.xy) == ("slope 1", (3, 6))


def test_note_stands_just_right_of_its_point() -> None:
    fig, ax = plotting.figure()
    ax.set(xlim=(0, 2), ylim=(0, 2))
    plotting.note(ax, 1, 1, "here", colour=plotting.GREEN)
    fig.draw_without_rendering()
    box = ax.texts[0].get_window_extent()
    at = ax.transData.transform((1, 1))
    assert 0 < box.x0 - at[0] < 10
    assert abs((box.y0 + box.y1) / 2 - at[1]) < 3
    assert ax.texts[0].get_color() == plotting.GREEN


def test_note_takes_options() -> None:
    _, ax = plotting.figure()
    plotting.note(ax, 1, 1, "left", ha="right", fontsize=7)
    assert (ax.texts[0].get_ha(), ax.texts[0].get_fontsize()) == ("right", 7)


def test_contours_have_x_along_columns_and_y_along_rows() -> None:
    _, ax = plotting.figure()
    x, y = np.linspace(0, 1, 5), np.linspace(10, 12, 4)
    plotting.contours(ax, x, y, np.broadcast_to(x, (4, 5)), [0.3, 0.6])
    lines = ax.collections[-1]
    for path, level in zip(lines.get_paths(), (0.3, 0.6), strict=True):
        np.testing.assert_allclose(path.vertices[:, 0], level, rtol=1e-12)
        assert (path.vertices[:, 1].min(), path.vertices[:, 1].max()) == (10, 12)


# The palette


def linear(colour: str) -> np.ndarray:
    """Linear RGB of an sRGB colour (IEC 61966-2-1)."""
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
# Vienot, Brettel & Mollon (1999): linear RGB to cone responses, the plane to which colours are
# projected when one kind of cone is missing, and the scaling that keeps the result displayable.
TO_LMS = np.array(
    [
        [17.8824, 43.5161, 4.11935],
        [3.45565, 27.1554, 3.86714],
        [0.0299566, 0.184309, 1.46709],
    ]
)
VISION = {
    "normal": (np.eye(3), 1.0, 0.0),
    "protanopia": (
        np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]]),
        0.992052,
        0.003974,
    ),
    "deuteranopia": (
        np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]]),
        0.957237,
        0.0213814,
    ),
}


def seen(colour: str, vision: str) -> np.ndarray:
    """CIE Lab (white D65) of a colour as that vision sees it."""
    project, scale, shift = VISION[vision]
    rgb = np.linalg.solve(TO_LMS, project @ TO_LMS @ (scale * linear(colour) + shift))
    t = TO_XYZ @ np.clip(rgb, 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(colour: str) -> float:
    """Contrast with white as WCAG 2 defines it."""
    return 1.05 / (TO_XYZ[1] @ linear(colour) + 0.05)


@pytest.mark.parametrize("vision", VISION)
def test_simulated_vision_keeps_white_white(vision: str) -> None:
    assert np.linalg.norm(seen("#ffffff", vision) - [100, 0, 0]) < 1


@pytest.mark.parametrize(
    ("vision", "red", "green"),
    [("protanopia", "#c00000", "#004908"), ("deuteranopia", "#e70031", "#009c11")],
)
def test_simulated_vision_confuses_a_red_and_a_green(vision: str, red: str, green: str) -> None:
    assert np.linalg.norm(seen(red, vision) - seen(green, vision)) < 1
    assert np.linalg.norm(seen(red, "normal") - seen(green, "normal")) > 100


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(plotting.PALETTE[:6], 2)))
def test_line_colours_can_be_told_apart(one: str, other: str, vision: str) -> None:
    # A difference of 2.3 in Lab is just noticeable side by side; on thin lines it takes several
    # times that. The closest pair (green and purple, deuteranopia) is 17.7 apart.
    assert np.linalg.norm(seen(one, vision) - seen(other, vision)) > 15


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(plotting.PALETTE, 2)))
def test_all_colours_differ_from_each_other_and_from_black(
    one: str, other: str, vision: str
) -> None:
    assert np.linalg.norm(seen(one, vision) - seen(other, vision)) > 15


@pytest.mark.parametrize("name", ["BLUE", "GREEN", "PURPLE", "VERMILION", "BLACK"])
def test_colour_contrasts_with_white_as_graphics_must(name: str) -> None:
    assert contrast(getattr(plotting, name)) >= 3


@pytest.mark.parametrize(
    ("name", "least", "most"), [("ORANGE", 2.2, 2.3), ("SKY", 2.3, 2.4), ("YELLOW", 1.3, 1.4)]
)
def test_light_colour_is_known_to_be_light(name: str, least: float, most: float) -> None:
    # For areas, or lines with a label or another colour at their side.
    assert least < contrast(getattr(plotting, name)) < most


def test_names_stand_for_the_palette() -> None:
    names = ("BLUE", "ORANGE", "GREEN", "PURPLE", "SKY", "VERMILION", "YELLOW", "BLACK")
    assert tuple(getattr(plotting, name) for name in names) == plotting.PALETTE
    assert plotting.BLACK == "#000000"


def test_lines_differ_in_style_as_well_as_in_colour() -> None:
    plotting.use_style()
    _, ax = plotting.figure()
    lines = [ax.plot([0, 1], [0, k])[0] for k in range(6)]
    assert [to_hex(line.get_color()).upper() for line in lines] == list(plotting.PALETTE[:6])
    styles = [line.get_linestyle() for line in lines]
    assert all(a != b for a, b in itertools.pairwise(styles))
    assert len(set(styles[:4])) == 4


def test_style_is_what_it_says() -> None:
    plotting.use_style()
    for key, value in plotting.STYLE.items():
        assert mpl.rcParams[key] == value, key
