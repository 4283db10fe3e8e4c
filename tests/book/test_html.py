"""The built pages, read without a browser: structure, links, images, nothing from elsewhere."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from chapters import Chapter
from fontTools.ttLib import TTFont
from lxml import html
from lxml.html import HtmlElement
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
LISTED = [f"{name}.html" for name in parse_toc_yaml(ROOT / "_toc.yml")]
GENERATED = sorted({path.name for path in HTML.glob("*.html")} - {"index.html"})
PAGES = [*LISTED, *GENERATED]
CHAPTERS = [page for page in LISTED if (ROOT / page).with_suffix(".ipynb").exists()]
SLIDER_SCRIPT = 5_000  # bytes

FOREIGN = re.compile(r"(https?:)?//", re.IGNORECASE)
CSS_ADDRESS = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
FONT_FACE = re.compile(r"@font-face\s*{[^}]*}")
LINKS_THAT_LOAD = {"stylesheet", "icon", "shortcut", "preload", "modulepreload", "manifest"}
ERROR = re.compile(r"\b(traceback|stderr|ansi-red-\w+|system-message|problematic)\b")
MARKUP = re.compile(
    r"\n\d\. |:::|\{(prf:)?(ref|eq|doc|numref|cite:[pt])\}|\]\(#"
    r"|\$[^$]+\$|\\[a-zA-Z]{2,}|\\[()[\]]"
)
PROSE = (
    "//body//text()[not(ancestor::*[self::pre or self::code or self::script or self::style"
    " or self::noscript or self::template or self::annotation])]"
)
SPOKEN = "//@alt | //@aria-label | //@aria-valuetext"
REFERENCES = "//@for | //@aria-labelledby | //@aria-describedby | //@aria-controls"
CAUGHT = ".katex-error, merror, [mathcolor='#cc0000'], .katex [style*='#cc0000']"

ICON = re.compile(r"\bfa-[a-z0-9-]+")
NO_ICONS = {"fa-solid", "fa-regular", "fa-brands", "fa-lg", "fa-fw"}  # style and size

every_page = pytest.mark.parametrize("page", PAGES)


@functools.cache
def read(page: str) -> HtmlElement:
    """A built page, parsed."""
    path = HTML / page
    if not path.is_file():
        pytest.fail(f"{page} is not built: run `make book`, which builds _build/html", False)
    return html.document_fromstring(
        path.read_bytes(), html.HTMLParser(encoding="utf-8", huge_tree=True)
    )


def statements(page: str) -> list[str]:
    """The labels of a chapter's statements, in order."""
    path = (ROOT / page).with_suffix(".ipynb")
    return list(Chapter(path.stem, path).blocks)


def describe(tags: list[HtmlElement]) -> list[str]:
    """The beginnings of some elements, for a message."""
    return [html.tostring(tag, encoding="unicode")[:160] for tag in tags]


def addresses(page: str) -> Iterator[tuple[str, bool]]:
    """All addresses on a page, and whether a browser loads them with it."""
    for tag in read(page).iter("*"):
        attributes = tag.attrib
        if tag.tag in ("a", "area") and "href" in attributes:
            yield attributes["href"], False
        if tag.tag == "link" and "href" in attributes:
            yield attributes["href"], bool(LINKS_THAT_LOAD & set(attributes["rel"].split()))
        for name in ("src", "poster", "data"):
            if name in attributes:
                yield attributes[name], True
        for part in attributes.get("srcset", "").split(",") if "srcset" in attributes else ():
            yield part.split()[0], True
        style = tag.text_content() if tag.tag == "style" else attributes.get("style", "")
        yield from ((address, True) for address in css_addresses(style))


def css_addresses(text: str) -> list[str]:
    """What a style sheet loads."""
    return [first or second for first, second in CSS_ADDRESS.findall(text)]


@functools.cache
def names(page: str) -> Counter[str]:
    """The anchors of a page, and how often each is set."""
    return Counter(read(page).xpath("//@id"))


@every_page
def test_page_has_one_heading_of_first_rank(page: str) -> None:
    headings = read(page).cssselect("h1")
    assert len(headings) == 1, describe(headings)


@every_page
def test_headings_skip_no_rank(page: str) -> None:
    headings = read(page).cssselect(".bd-article-container :is(h1, h2, h3, h4, h5, h6)")
    ranks = [int(tag.tag[1]) for tag in headings]
    assert all(after <= before + 1 for before, after in zip([0, *ranks], ranks, strict=False)), (
        ranks
    )


@every_page
def test_ids_are_unique(page: str) -> None:
    assert not {name: count for name, count in names(page).items() if count > 1}


@every_page
def test_page_says_its_language_and_title(page: str) -> None:
    root = read(page)
    assert root.get("lang") == "en"
    assert [title.text_content().strip() != "" for title in root.cssselect("head title")] == [True]
    assert root.cssselect("head meta[name=viewport]")


def test_titles_are_distinct() -> None:
    assert len({read(page).findtext("head/title") for page in PAGES}) == len(PAGES)


@every_page
def test_every_local_link_leads_somewhere(page: str) -> None:
    """File and anchor; a link to a setting of a figure carries it behind a question mark."""
    broken = []
    for address, _ in addresses(page):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        path, fragment = urldefrag(address)
        path = unquote(path.split("?")[0])
        target = (HTML / page).parent / path if path else HTML / page
        if target.is_dir():
            target = target / "index.html"
        anchor = unquote(fragment).split("?")[0]
        if not target.is_file():
            broken.append(address)
        elif anchor and target.suffix == ".html":
            place = str(target.resolve().relative_to(HTML.resolve()))
            if anchor not in names(place):
                broken.append(address)
    assert not broken


@every_page
def test_page_loads_nothing_from_elsewhere(page: str) -> None:
    assert not [text[:120] for text, loads in addresses(page) if loads and FOREIGN.match(text)]


@every_page
def test_label_and_aria_references_resolve(page: str) -> None:
    wanted = {anchor for value in read(page).xpath(REFERENCES) for anchor in value.split()}
    assert wanted <= set(names(page))


@every_page
def test_images_have_text_and_size(page: str) -> None:
    images = read(page).cssselect("img")
    bare = [
        i for i in images if not (i.get("alt", "").strip() and i.get("width") and i.get("height"))
    ]
    assert not bare, describe(bare)


@every_page
def test_no_output_is_an_error(page: str) -> None:
    errors = [tag for tag in read(page).cssselect("[class]") if ERROR.search(tag.get("class"))]
    assert not errors, describe(errors)


@every_page
def test_no_markup_is_left_in_the_text(page: str) -> None:
    texts = [*read(page).xpath(PROSE), *read(page).xpath(SPOKEN)]
    assert len(texts) > 10
    assert not [text for text in texts if MARKUP.search(text)]


@every_page
def test_every_formula_is_rendered(page: str) -> None:
    bare = [tag for tag in read(page).cssselect(".math") if not tag.cssselect(".katex")]
    assert not describe([*bare, *read(page).cssselect(CAUGHT)])


def test_style_sheets_load_only_what_is_there() -> None:
    """Of a font's sources a browser takes the first that it knows, here always WOFF2."""
    sheets = {
        (HTML / page).parent / urlsplit(tag.get("href")).path
        for page in PAGES
        for tag in read(page).cssselect("link[rel=stylesheet]")
    }
    assert sheets
    for sheet in {path.resolve() for path in sheets}:
        text = sheet.read_text(encoding="utf-8")
        fonts = FONT_FACE.findall(text)
        wanted = [css_addresses(font)[0] for font in fonts] + css_addresses(FONT_FACE.sub("", text))
        for address in wanted:
            assert not FOREIGN.match(address), f"{sheet.name}: {address}"
            if not address.startswith(("data:", "#")):
                assert (sheet.parent / urlsplit(address).path).is_file(), f"{sheet.name}: {address}"


def test_every_icon_has_its_glyph() -> None:
    """The icon font is cut down to what the pages use; a lacking one shows as an empty box."""
    rules = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
    text = (HTML / "_static/styles/pydata-sphinx-theme.css").read_text(encoding="utf-8")
    codes = {
        name: int(code, 16) for names, code in rules.findall(text) for name in ICON.findall(names)
    }
    used = {
        name
        for page in PAGES
        for tag in read(page).cssselect(":is(i, span, svg)[class]")
        if re.search(r"\bfa[srb]?\b|\bfa-(solid|regular|brands)\b", tag.get("class"))
        for name in ICON.findall(tag.get("class"))
    } - NO_ICONS
    assert used
    fonts = sorted((HTML / "_static/vendor/fontawesome/webfonts").glob("*.woff2"))
    glyphs = set.union(*(set(TTFont(font).getBestCmap()) for font in fonts))
    assert {codes.get(name) for name in used} <= glyphs
    assert {ord(icon) for icon in re.findall("[\ue000-\uf8ff]", text)} <= glyphs
    assert sum(font.stat().st_size for font in fonts) < 10_000


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_has_all_of_its_notebook(page: str) -> None:
    """Its code and solutions; and the notebook itself to download, byte for byte."""
    notebook = (ROOT / page).with_suffix(".ipynb")
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code, text = (
        ["".join(cell["source"]).strip() for cell in cells if cell["cell_type"] == kind]
        for kind in ("code", "markdown")
    )
    root = read(page)
    shown = [tag.text_content().strip() for tag in root.cssselect("div.cell_input pre")]
    assert sorted(shown) == sorted(code)  # silent cells fold behind the next that shows something
    assert len(root.cssselect("div.solution")) == "\n".join(text).count("{exercise}")
    link = root.cssselect("a.btn-download-source-button")[0].get("href")
    assert ((HTML / page).parent / link).read_bytes() == notebook.read_bytes()


@every_page
def test_sliders_come_with_one_small_script_and_no_library(page: str) -> None:
    root = read(page)
    carried = root.cssselect('figure.explorable script[type="application/json"]')
    assert len(carried) == len(root.cssselect("figure.explorable"))
    inline = [tag.text_content() for tag in root.cssselect("script:not([src])")]
    assert not [text for text in inline if "explorable" in text]
    script = (HTML / "_static" / "explorable.js").read_bytes()
    assert len(script) < SLIDER_SCRIPT
    assert not re.search(rb"\bfetch|\bimport|XMLHttp|//[a-z]", script)
    assert not root.cssselect("script[type*=widget]")  # nothing here reads it
    lean = scripts(LISTED[-1]) | ({"live.js"} if root.cssselect("figure.live") else set())
    assert scripts(page) <= lean


def scripts(page: str) -> set[str]:
    """The names of the files with scripts that a page asks for."""
    return {urlsplit(src).path.split("/")[-1] for src in read(page).xpath("//script/@src")}


def test_front_door_contents_and_next_lead_through_the_whole_book() -> None:
    (refresh,) = read("index.html").cssselect("meta[http-equiv=Refresh]")
    assert refresh.get("content").endswith(f"url={LISTED[0]}")
    for before, page, after in zip([None, *LISTED], LISTED, [*LISTED[1:], None], strict=False):
        ways = [
            read(page).xpath(f"//a[@class='{name}']/@href") for name in ("left-prev", "right-next")
        ]
        assert [[local(page, href) for href in way] for way in ways] == [
            [end] if end else [] for end in (before, after)
        ]
        listed = read(page).cssselect("nav.bd-docs-nav a")
        assert [local(page, tag.get("href")) for tag in listed] == LISTED[1:]


def local(page: str, address: str) -> str:
    """The page that a link on a page leads to."""
    path = urldefrag(address)[0]
    target = (HTML / page).parent / path if path else HTML / page
    return str(target.resolve().relative_to(HTML.resolve()))


def test_folds_hold_what_they_are_to_hold() -> None:
    """Errata and long proofs: all of each behind its line, none outside."""
    folds = {"erratum": 0, "proof-fold": 0}
    for page in CHAPTERS:
        for name in folds:
            for fold in read(page).cssselect(f"details.{name}"):
                folds[name] += 1
                text = fold.text_content()
                assert len(text.split()) > 10, f"{page}: {text}"
        assert not read(page).cssselect("div.erratum")
    assert min(folds.values()) > 0


@pytest.mark.parametrize("page", [page for page in CHAPTERS if page != "book/the_case.html"])
def test_the_map_of_a_chapter_is_complete(page: str) -> None:
    """Each statement once, in the drawing and in the list, and before the first section."""
    (figure,) = read(page).cssselect("figure.statement-map")
    own = statements(page)
    drawn = [a.get("data-label") for a in figure.cssselect("svg a.node:not(.elsewhere)")]
    listed = [a.get("href").split("#")[1] for a in figure.cssselect("li > a:first-child")]
    assert sorted(drawn) == sorted(own)
    assert listed == own
    links = len(figure.cssselect("li a")) - len(own)
    assert min(1, links) <= len(figure.cssselect("path.edge")) <= links
    assert read(page).cssselect("h1 ~ figure.statement-map") == [figure]


def test_the_map_of_the_book_is_complete() -> None:
    nodes = read("book/intro.html").cssselect("figure.statement-map svg a.node")
    drawn = [a.get("data-label") for a in nodes]
    assert drawn == [label for page in CHAPTERS for label in statements(page)]
