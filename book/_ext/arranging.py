"""Arranges the boxes of a graph on a page: dagre, run by Node, lays out what is connected."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

LAYOUT = Path(__file__).with_name("layout.mjs")
DAGRE = Path(__file__).parents[2] / "node_modules" / "@dagrejs" / "dagre"
WIDTH = 672  # what a page has room for
GAP = 14
WAYS = list(product(("LR", "TB"), ("network-simplex", "tight-tree", "longest-path")))

Point = Sequence[float]
Edge = tuple[str, str]


class Arrangement(NamedTuple):
    """The size of the whole, the centres of the boxes, the bends of the edges."""

    width: float
    height: float
    places: dict[str, Point]
    bends: list[list[Point]]


def arrange(sizes: Mapping[str, Point], edges: Sequence[Edge]) -> Arrangement | None:
    """Lays out each connected piece, the way that suits the page best, and packs them in rows.

    ``None`` where there is no Node.
    """
    node = shutil.which("node")
    if not (node and DAGRE.is_dir()):
        return None
    graphs = []
    for piece in pieces(sizes, edges):
        boxes = [[name, *sizes[name]] for name in piece]
        inner = [edge for edge in edges if edge[0] in piece]
        graphs += [
            {"nodes": boxes, "edges": inner, "rankdir": d, "ranker": r} for d, r in WAYS
        ]
    asked = json.dumps(graphs)
    done = subprocess.run(
        [node, LAYOUT], input=asked, capture_output=True, text=True, check=True
    )
    laid = json.loads(done.stdout)
    tried = [laid[k : k + len(WAYS)] for k in range(0, len(laid), len(WAYS))]
    best = [min(ways, key=size_on_page) for ways in tried]
    return packed(sorted(best, key=lambda one: -len(one["nodes"])))


def size_on_page(laid: Mapping[str, Any]) -> tuple[float, float]:
    """How far a layout goes beyond the page, then how high it is."""
    return max(laid["width"], WIDTH), laid["height"]


def pieces(sizes: Mapping[str, Point], edges: Sequence[Edge]) -> list[list[str]]:
    """The connected pieces of a graph."""
    home = {name: [name] for name in sizes}
    for one, other in edges:
        if home[one] is not home[other]:
            home[one] += home[other]
            for name in home[other]:
                home[name] = home[one]
    return list({id(piece): piece for piece in home.values()}.values())


def packed(layouts: Sequence[Mapping[str, Any]]) -> Arrangement:
    """The layouts in rows, each as wide as the page or as the widest of them."""
    width = max([WIDTH, *(one["width"] for one in layouts)])
    places: dict[str, Point] = {}
    bends: list[list[Point]] = []
    x = y = high = 0.0
    for one in layouts:
        if x and x + one["width"] > width:
            x, y, high = 0.0, y + high + GAP, 0.0
        shifted = {name: (x + at[0], y + at[1]) for name, at in one["nodes"].items()}
        places.update(shifted)
        bends += [[(x + px, y + py) for px, py in points] for points in one["edges"]]
        x, high = x + one["width"] + GAP, max(high, one["height"])
    return Arrangement(width, y + high, places, bends)
