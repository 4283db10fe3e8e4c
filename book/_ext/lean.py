"""Takes out of the built pages what no reader needs, and mends the theme's markup."""

from __future__ import annotations

import re
from pathlib import Path

from fontTools import subset
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

SHARED_ID = '<div class="proof admonition" id="proof">'
OWN_CLASS = '<div class="proof proof-block admonition">'
SHARED_CONTENT_ID = re.compile(r'(<section\b[^>]*) id="(?:proof|exercise|solution)-content"')
ICON_SCRIPT = re.compile(r"\s*<(script|link)\b[^>]*fontawesome\.js[^>]*>(</script>)?")
WIDGET_STATE = re.compile(
    r'<script type="application/vnd\.jupyter\.widget-state\+json">.*?</script>\s*', re.DOTALL
)
# The whole bar of a solution is a button; a link in it would catch half of the clicks.
SOLUTION = re.compile(r"(Solution to)<a [^>]*>(.*?)</a>(?=</p>)")
DOWNLOAD = re.compile(r'(<a href="[^"]*_sources/[^"]*") target="_blank"')
MENDED = {
    '</span><span class="base">': '</span><wbr><span class="base">',  # a formula may break here
    SHARED_ID: OWN_CLASS,
    'role="doc-biblioentry"': 'role="listitem"',  # deprecated, and in a list
    'title="Search" aria-label="Search"': 'title="Search"',  # it hides the label that is seen
    'localStorage.getItem("mode") || ""': 'localStorage.getItem("mode") || "auto"',
    # The theme would settle this later, and every element would be styled twice.
    'localStorage.getItem("theme") || ""': 'localStorage.getItem("theme") || '
    '(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")',
}
# The theme asks for the size of a box and then writes to it, box by box, so that the browser lays
# the page out anew for each; and the code in a closed fold it lays out for this question only. So:
# first all questions, then all answers, about what is open, and again when a fold opens.
BOX_BY_BOX = re.compile(
    r'document\.querySelectorAll\((\[[^\]]*\]\.join\(", "\))\)'
    r"\.forEach\(e=>\{e\.tabIndex=(e\.scrollWidth[^?]*)\?0:-1\}\)"
    r'(\},(\w)=\w\(e,300\);)(?=window\.addEventListener\("resize",\4\))'
)
ALL_AT_ONCE = (
    r'[...document.querySelectorAll(\1)].filter(e=>!e.closest("details:not([open])"))'
    r".map(e=>[e,\2]).forEach(([e,o])=>{e.tabIndex=o?0:-1})"
    r'\3document.addEventListener("toggle",\4,!0),'
)
# The theme marks a section in the page's contents when its heading comes into sight, so it misses
# the way back up and every jump. The section is that of the last heading above a line.
COMES_INTO_SIGHT = (
    "const t=e.filter(e=>e.isIntersecting).pop();if(!t)return;const n=t.target;s(a.get(n))"
)
LAST_ABOVE_THE_LINE = (
    "const n=[...a.keys()].filter(e=>e.getBoundingClientRect().top<.3*innerHeight).pop();"
    "n&&s(a.get(n))"
)
SIGHT, ALL_ABOVE_THE_LINE = (
    "rootMargin:`-${e}px 0px -70% 0px`",
    'rootMargin:"9999999px 0px -70% 0px"',
)
SUMMARIES = "SHOW_SEARCH_SUMMARY: true"
ICON_NAME = re.compile(r"\bfa-[a-z0-9-]+")
ICON_RULE = re.compile(r'(?:\.fa-[a-z0-9-]+:before,?)+\{content:"\\[0-9a-f]+"\}')
ICON_CODE = re.compile(r"\\([ef][0-9a-f]{3})\b")
ICON_ITSELF = re.compile("[\ue000-\uf8ff]")


def finish_pages(app: Sphinx, error: Exception | None) -> None:
    """Rewrites the pages, and what the theme lays beside them, once all are built."""
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for name in app.config.external_site_map:
        if not (out / f"{name}.html").is_file():
            raise ExtensionError(f"_toc.yml lists {name}, but no such page was built")
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if (lean := finished(text)) != text:
            page.write_text(lean, encoding="utf-8")
    for script in (out / "_static" / "scripts").glob("fontawesome.js*"):
        script.unlink()
    fetch_summaries_from_servers_only(out / "_static" / "documentation_options.js")
    mend_theme_script(out / "_static" / "scripts" / "pydata-sphinx-theme.js")
    keep_used_icons(out)


def finished(page: str) -> str:
    """A page without the 1.5 MB icon script and the state of live widgets, its markup mended.

    The icons show from the web font that the theme also ships; widgets need a kernel.
    """
    page = WIDGET_STATE.sub("", ICON_SCRIPT.sub("", page))
    page = SOLUTION.sub(r"\1\2", page)
    page = DOWNLOAD.sub(r"\1 download", page)
    for wrong, right in MENDED.items():
        page = page.replace(wrong, right)
    return SHARED_CONTENT_ID.sub(r"\1", page)


def fetch_summaries_from_servers_only(options: Path) -> None:
    """Lets the search on a page that was opened from the disk do without what it cannot fetch."""
    text = options.read_text(encoding="utf-8")
    served = "SHOW_SEARCH_SUMMARY: location.protocol !== 'file:'"
    options.write_text(text.replace(SUMMARIES, served), encoding="utf-8")


def mend_theme_script(script: Path) -> None:
    """Lets the theme find the boxes that scroll with one layout, and mark the section in sight."""
    text = BOX_BY_BOX.sub(ALL_AT_ONCE, script.read_text(encoding="utf-8"))
    text = text.replace(COMES_INTO_SIGHT, LAST_ABOVE_THE_LINE).replace(SIGHT, ALL_ABOVE_THE_LINE)
    script.write_text(text, encoding="utf-8")


def keep_used_icons(out: Path) -> None:
    """Reduces the theme's icon font, and the rules that name its icons, to those in use."""
    static = out / "_static"
    names: set[str] = set()
    for path in [*out.rglob("*.html"), *static.rglob("*.js")]:
        names.update(ICON_NAME.findall(path.read_text(encoding="utf-8")))
    codes: set[int] = set()
    for sheet in static.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        lean = ICON_RULE.sub(lambda m: m[0] if names & set(ICON_NAME.findall(m[0])) else "", text)
        if lean != text:
            sheet.write_text(lean, encoding="utf-8")
        codes.update(int(code, 16) for code in ICON_CODE.findall(lean))
        codes.update(map(ord, ICON_ITSELF.findall(lean)))
    for font in static.rglob("fa-*.woff2"):
        options = subset.Options(flavor="woff2", notdef_outline=True, layout_features=[])
        glyphs = subset.load_font(str(font), options)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=codes)
        cutter.subset(glyphs)
        subset.save_font(glyphs, str(font), options)
