"""The first page: a figure to grab and a card for each chapter, all read from the notebooks."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chapters import Chapter, MarkdownDirective
from docutils import nodes
from outputs import BUNDLE, figure, frame, image, live_figure, raw
from PIL import Image
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from lecture_code.display import live

THUMBNAIL = 360  # pixels wide
PICTURES = "pictures"  # in _static
CAN = re.compile(r"\*\*After this chapter you can\*\* (.+?)(?:;|\.(?:\s|$))", re.DOTALL)
TAKES = re.compile(r"\*\*It takes\*\* (.+?)\.(?:\s|$)", re.DOTALL)


def set_up_landing(app: Sphinx) -> None:
    """Registers the parts of the first page and the writing of their pictures."""
    app.add_directive("hero", HeroDirective)
    app.add_directive("chapters", ChaptersDirective)
    app.connect("build-finished", write_pictures)


def pictures(chapter: Chapter) -> Iterator[tuple[dict[str, Any], Image.Image]]:
    """The stored pictures of a chapter, each with the output that holds it."""
    for cell in chapter.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if png := data.get("image/png"):
                yield data, Image.open(io.BytesIO(base64.b64decode("".join(png))))


def first_picture(chapter: Chapter) -> Image.Image | None:
    """The first picture that a chapter stores."""
    return next((picture for _, picture in pictures(chapter)), None)


def thumbnail_size(picture: Image.Image) -> tuple[int, int]:
    """The size at which a card shows it."""
    return THUMBNAIL, round(picture.height * THUMBNAIL / picture.width)


def first_live(chapter: Chapter) -> tuple[dict[str, Any], Image.Image] | None:
    """The first figure to grab of a chapter, with its stored picture."""
    found = (
        (data[live.MIME], picture)
        for data, picture in pictures(chapter)
        if live.MIME in data
    )
    return next(found, None)


def write_pictures(app: Sphinx, error: Exception | None) -> None:
    """Writes the thumbnails, and the pictures behind the figures to grab."""
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / PICTURES
    folder.mkdir(exist_ok=True)
    for chapter in app.chapters:
        if picture := first_picture(chapter):
            small = picture.convert("RGB").resize(
                thumbnail_size(picture), Image.Resampling.LANCZOS
            )
            small.save(folder / f"{chapter.name}.webp", quality=80)
        if found := first_live(chapter):
            found[1].convert("RGB").save(folder / f"{chapter.name}-live.webp", quality=85)


class HeroDirective(MarkdownDirective):
    """The first figure to grab of a chapter: ``{hero} chapter``, or of the next that has one."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The figure, its picture lying beside the style sheets."""
        names = list(self.chapters())
        names.sort(key=lambda chapter: chapter.name != self.arguments[0])
        for chapter in names:
            if found := first_live(chapter):
                break
        else:
            raise ExtensionError(
                "No chapter has a figure to grab, which the first page shows"
            )
        data, _ = found
        draw = live_figure if BUNDLE.is_file() else figure
        block = draw(data, lambda text: self.state.inline_text(text, self.lineno)[0])
        for empty in list(block.findall(frame)):
            src = f"../_static/{PICTURES}/{chapter.name}-live.webp"
            empty.replace_self(raw(image(src, empty["alt"], empty["size"])))
        return [block]


class ChaptersDirective(MarkdownDirective):
    """All chapters: picture, part of the book, what it is for, how long it takes."""

    def text(self) -> Iterator[str]:
        """One card a chapter; what a chapter does not say is left out."""
        chapters = {f"book/{chapter.name}": chapter for chapter in self.chapters()}
        yield "::::::{grid} 1 2 2 3\n:gutter: 3\n"
        for part in self.config.external_site_map.root.subtrees:
            for page in map(str, part.items):
                if page in chapters:
                    yield from self.card(chapters[page], part.caption)
        yield "::::::\n"

    def card(self, chapter: Chapter, part: str) -> Iterator[str]:
        """One chapter."""
        yield ":::::{grid-item}\n:class: chapter-card\n"
        if picture := first_picture(chapter):
            src = f"../_static/{PICTURES}/{chapter.name}.webp"
            alt = f"The first figure of the chapter {chapter.title}"
            shown = image(src, alt, thumbnail_size(picture), ' loading="lazy"')
            yield f'<a class="thumbnail" href="{chapter.name}.html">{shown}</a>\n'
        yield f"*{part}*\n\n**{{doc}}`{chapter.name}`**\n"
        if can := CAN.search(chapter.prose):
            yield f"After it you can {' '.join(can[1].split())}.\n"
        if takes := TAKES.search(chapter.prose):
            yield f"*Takes {' '.join(takes[1].split())}.*\n"
        yield ":::::\n"
