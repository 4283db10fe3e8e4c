"""The map of statements, the glossary, and what the pages of a host need besides."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from chapters import Block, Chapter, Proof
from host import sitemap
from sphinx.errors import ExtensionError
from sphinx_external_toc.parsing import parse_toc_yaml
from statement_map import Entry, graph, in_order, looking_ahead

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html" / "book"
ORDER = [Path(name).name for name in parse_toc_yaml(ROOT / "_toc.yml")]
CHAPTERS = [name for name in ORDER if (ROOT / "book" / f"{name}.ipynb").exists()]


def chapter(name: str) -> Chapter:
    """A chapter of the book."""
    return Chapter(name, ROOT / "book" / f"{name}.ipynb")


def entry(label: str, chapter: str, *uses: str) -> Entry:
    """A statement that is proved."""
    return Entry(label, chapter, "lemma", label, "checked", False, uses)


def test_a_circle_of_proofs_is_named() -> None:
    entries = {e.label: e for e in (entry("a", "x", "b"), entry("b", "x", "c"), entry("c", "x"))}
    assert in_order(entries) == ["c", "b", "a"]
    entries["c"] = entry("c", "x", "a")
    with pytest.raises(ExtensionError) as caught:
        in_order(entries)
    circle = str(caught.value).split(", ")[-1].split(" → ")
    assert set(circle) == set(entries)
    assert all(used in entries[one].uses for one, used in pairwise(circle))


def test_what_looks_ahead_is_reported() -> None:
    entries = {e.label: e for e in (entry("a", "x", "b"), entry("b", "y", "a"))}
    assert looking_ahead(entries, ["x", "y"]) == [(entries["a"], entries["b"])]


def test_edges_come_from_references_equations_and_definitions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blocks = {
        "d": Block("d", "A word", "definition", (), ()),
        "a": Block("a", "First", "lemma", (), ("eq-a",)),
        "b": Block("b", "Second; source", "lemma", ("d", "c"), ()),
        "c": Block("c", "Third", "lemma", (), ()),
    }
    one = chapter(CHAPTERS[0])
    monkeypatch.setattr(one, "blocks", blocks)
    proofs = [Proof("b", ("elsewhere",), ("eq-a", "eq-b")), Proof("c", ("b",), ())]
    monkeypatch.setattr(one, "proofs", proofs)
    found = graph([one])
    assert {label: e.uses for label, e in found.items()} == {
        "d": (),
        "a": (),
        "b": ("d", "a"),
        "c": ("b",),
    }
    stands = {"d": "defined", "a": "cited", "b": "proved", "c": "proved"}
    assert {label: e.standing for label, e in found.items()} == stands
    assert found["b"].title == "Second"


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_proof_is_of_a_statement(name: str) -> None:
    """And what it refers to as a statement is one, of this chapter or of another."""
    known = {label for one in map(chapter, CHAPTERS) for label in one.blocks}
    for proof in chapter(name).proofs:
        assert {proof.of, *proof.uses} <= known, proof


def test_every_chapter_has_a_card_on_the_first_page() -> None:
    soup = BeautifulSoup((HTML / "intro.html").read_text(encoding="utf-8"), "html.parser")
    cards = soup.select(".chapter-card")
    assert [card.select_one("a.thumbnail")["href"] for card in cards] == [
        f"{name}.html" for name in CHAPTERS
    ]
    for card in cards:
        assert (HTML / card.img["src"]).is_file()
        assert re.search(r"After it you can .+\.\s+Takes .+\.", card.get_text(" ")), card


def test_terms_are_defined_in_a_sentence_and_lead_to_statements() -> None:
    terms = tomllib.loads((ROOT / "book" / "terms.toml").read_text(encoding="utf-8"))["term"]
    known = {label for name in CHAPTERS for label in chapter(name).blocks}
    assert len({term["name"].casefold() for term in terms}) == len(terms)
    for term in terms:
        assert re.fullmatch(r"[A-Z][^.]*\.", term["definition"]), term["name"]
        assert term["places"], term["name"]
        assert set(term["places"]) <= known, term["name"]


def test_there_is_nothing_for_a_host_without_one() -> None:
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    hosted = bool(config["html"].get("baseurl"))
    names = ("sitemap.xml", "404.html", "_static/card.png")
    assert {(HTML.parent / name).exists() for name in names} == {hosted}


def test_the_map_of_the_site_is_escaped() -> None:
    text = sitemap("https://example.org/a&b/", ["book/intro"])
    assert "<loc>https://example.org/a&amp;b/book/intro.html</loc>" in text


@pytest.mark.weekly
def test_a_host_gets_its_card_its_map_and_its_page_for_errors(tmp_path: Path) -> None:
    """Built in a copy, so that the pages of the book stay as they are."""
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("book", "lecture_code", "node_modules"):
        (tmp_path / name).symlink_to(ROOT / name)
    config = yaml.safe_load((tmp_path / "_config.yml").read_text(encoding="utf-8"))
    config["html"]["baseurl"] = "https://example.org/deep"
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", tmp_path, "-q"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    out = tmp_path / "_build" / "html"
    assert (out / "sitemap.xml").read_text(encoding="utf-8").count("<loc>") == len(ORDER)
    lost = BeautifulSoup((out / "404.html").read_text(encoding="utf-8"), "html.parser")
    assert lost.base["href"] == "https://example.org/deep/"
    page = BeautifulSoup((out / "book" / "ntk.html").read_text(encoding="utf-8"), "html.parser")
    told = {tag["property"]: tag["content"] for tag in page.find_all("meta", property=True)}
    assert told["og:image"] == "https://example.org/deep/_static/card.png"
    assert told["og:title"] == "The neural tangent kernel"
    assert (out / "_static" / "card.png").is_file()
