"""What a book on a host has besides: a card for links to it, a map of the site, a page for errors.

All of it is absent unless ``html: baseurl`` is set in ``_config.yml``.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib
from landing import first_live, first_picture
from matplotlib.figure import Figure
from sphinx.application import Sphinx

from lecture_code.display import plotting

CARD = "_static/card.png"
LOST = """<section id="lost"><h1>There is no such page</h1>
<p>It may have moved. <a href="index.html">Begin at the first page</a>, or
<a href="search.html">search the book</a>.</p></section>"""


def set_up_host(app: Sphinx) -> None:
    """Asks, once the configuration is read, whether there is a host."""
    app.connect("config-inited", connect)


def connect(app: Sphinx, config: Any) -> None:
    """Registers what is made for a host, if there is one."""
    if config.html_baseurl:
        app.connect("html-page-context", describe)
        app.connect("html-collect-pages", lost)
        app.connect("build-finished", write)


def base(app: Sphinx) -> str:
    """The address of the book, ending in a slash."""
    return app.config.html_baseurl.rstrip("/") + "/"


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any
) -> None:
    """Adds what networks and messengers show of a link to the page."""
    named = app.env.titles.get(page)
    title = named.astext() if named else app.config.html_title
    about = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": title,
        "og:url": f"{base(app)}{page}.html",
        "og:image": base(app) + CARD,
        "twitter:card": "summary_large_image",
    }
    tags = "".join(
        f'<meta property="{name}" content="{html.escape(text)}"/>\n'
        for name, text in about.items()
    )
    if page == "404":  # it is shown at any address
        tags += f'<base href="{base(app)}"/>\n'
    context["metatags"] = context.get("metatags", "") + tags


def lost(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page that hosts show for an address that leads nowhere."""
    yield "404", {"title": "No such page", "body": LOST}, "page.html"


def write(app: Sphinx, error: Exception | None) -> None:
    """Writes the map of the site and the card."""
    if error is None and app.builder.format == "html":
        out = Path(app.outdir)
        pages = map(str, app.config.external_site_map)
        (out / "sitemap.xml").write_text(sitemap(base(app), pages), encoding="utf-8")
        draw_card(app, out / CARD)


def sitemap(address: str, pages: Any) -> str:
    """The pages as search engines read them."""
    places = "".join(
        f"<url><loc>{escape(address + page)}.html</loc></url>\n" for page in pages
    )
    schema = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="{schema}">\n{places}</urlset>\n'


def draw_card(app: Sphinx, path: Path) -> None:
    """The title of the book above its first picture, 1200 by 630 pixels."""
    pictures = [found[1] for chapter in app.chapters if (found := first_live(chapter))]
    pictures += [picture for chapter in app.chapters if (picture := first_picture(chapter))]
    with matplotlib.rc_context(plotting.STYLE):
        card = Figure(figsize=(12, 6.3), dpi=100)
        card.text(0.05, 0.86, app.config.html_title, fontsize=40, weight="bold")
        card.text(0.05, 0.78, "every theorem proved, and executed", fontsize=24)
        if pictures:
            ax = card.add_axes((0.05, 0.04, 0.9, 0.68))
            ax.imshow(pictures[0].convert("RGB"))
            ax.set_axis_off()
        card.savefig(path)
