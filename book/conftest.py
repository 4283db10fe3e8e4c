"""What nbval lets pass in a notebook of the book fails here.

nbval executes each cell again and compares texts. On top of that a cell fails if it was stored
unexecuted or out of order, writes to stderr, shows other kinds of output or another figure than
the stored ones, or carries a marker that would weaken the check. Everything is read off the
outputs nbval has just made (`item.test_outputs`), so nothing runs twice.
"""

import atexit
import base64
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nbval.plugin import IPyNbCell, NbCellError, comment_markers, metadata_tags
from PIL import Image

from lecture_code.display.evidence import makes_claims

# Kernels share the cores; two threads of linear algebra in each would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# A user's startup files and matplotlibrc stay outside.
os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="ipython-")
atexit.register(shutil.rmtree, os.environ["IPYTHONDIR"], ignore_errors=True)

REPORTS = Path(__file__).resolve().parent.parent / "_build" / "figure-differences"
LIVE = "application/vnd.lecture-code.live+json"
UNSTORED = {
    "application/vnd.jupyter.widget-view+json"
}  # of a live figure: it holds its script
DATA_URI = re.compile(r"data:(image/(?:png|jpeg|webp));base64,([A-Za-z0-9+/=]+)")
WEAKENING = {*comment_markers, *metadata_tags} - {
    "NBVAL_CHECK_OUTPUT",
    "nbval-check-output",
}

# On the 0..255 scale. Rounding noise (curves perturbed by 1e-12) gives at most 0.5 over the figure
# and 3.5 in its worst tile, lossy WebP included. One digit changed in a label gives only 1.2 to 1.7
# over the figure, but 40 or more in its tile: hence two bounds.
WHOLE, WORST, TILE = 2.0, 10.0, 16


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Find what nbval blanks out also when pytest is called from a folder below."""
    named = config.option.nbval_sanitize_with
    if named and not Path(named).is_absolute():
        config.option.nbval_sanitize_with = str(config.rootpath / named)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Check every cell in full, and wait for its outputs as long as for the cell itself."""
    if isinstance(item, IPyNbCell):
        item.options.update(check=True, check_exception=False, skip=False)
        item.output_timeout = item.config.option.nbval_cell_timeout  # nbval: 5 s
        item.sanitize = partial(sanitized, item.sanitize)


def sanitized(sanitize: Callable[[str], str], output: Any) -> str:
    """An output as nbval compares it; of JSON, whose texts nbval leaves alone, the text form."""
    return sanitize(output if isinstance(output, str) else text_form(output))


def text_form(output: Any) -> str:
    """JSON as one text, with sorted names."""
    return json.dumps(output, ensure_ascii=False, sort_keys=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Let nbval run the cell, then raise what it found together with what is found here."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    problems, traceback = [], None
    try:
        yield
    except Exception as error:
        problems = [str(error) if isinstance(error, NbCellError) else repr(error)]
        traceback = getattr(error, "inner_traceback", None)
    problems += [*stored_problems(item), *fresh_problems(item)]
    if problems:
        message = "\n  * ".join(
            [f"in {item.path.name} (code cells count from 0)", *problems]
        )
        message += "\nMend the cell if it is wrong; then run `make notebooks`."
        raise NbCellError(item.cell_num, message, item.cell.source, traceback)


def stored_problems(item: IPyNbCell) -> Iterator[str]:
    """What is wrong with the cell as it stands in the notebook."""
    comments = {
        line.strip().lstrip("#").strip()
        for line in item.cell.source.splitlines()
        if line.strip().startswith("#")
    }
    tags = set(item.cell.metadata.get("tags", []))
    if makes_claims(item.cell.source):
        tags.discard(
            "raises-exception"
        )  # JupyterLab then runs on; here the cell fails all the same
    for marker in sorted(WEAKENING & (comments | tags)):
        yield f"{marker} weakens the check and is not allowed"

    counts = [
        cell.execution_count for cell in item.parent.nb.cells if cell.cell_type == "code"
    ]
    count, due = counts[item.cell_num], item.cell_num + 1
    if count is None:
        yield "it was never executed"
    elif counts[:due] == [*range(1, due), count] and count != due:
        yield f"it was executed as number {count} instead of {due}"
    yield from stream_problems("stored", item.cell.outputs)


def fresh_problems(item: IPyNbCell) -> Iterator[str]:
    """What is wrong with the outputs nbval has just made, alone and against the stored ones."""
    stored, fresh = item.cell.outputs, item.test_outputs
    if (
        fresh is None
        or item.parent.timed_out
        or any(o.output_type == "error" for o in fresh)
    ):
        return  # nbval has said so, and there is nothing complete to compare
    yield from stream_problems("fresh", fresh)

    kinds = [
        [
            sorted(set(o.data) - (UNSTORED if LIVE in o.data else set()))
            for o in outputs
            if "data" in o
        ]
        for outputs in (stored, fresh)
    ]
    if kinds[0] != kinds[1]:
        yield f"it shows {kinds[1]}, stored is {kinds[0]}"
    pictures = [list(images(outputs)) for outputs in (stored, fresh)]
    if len(pictures[0]) != len(pictures[1]):
        yield f"images: {len(pictures[1])}, stored {len(pictures[0])}"
        return
    for i, ((mime, old), (_, new)) in enumerate(zip(*pictures, strict=True)):
        name = f"{item.path.stem}-cell{item.cell_num}-{i}"
        if old != new and (difference := compare(old, new, name)):
            yield f"image {i} ({mime}) differs: {difference}"


def stream_problems(which: str, outputs: list) -> Iterator[str]:
    """Nothing on stderr and no exception is acceptable, even if both runs agree on it."""
    for output in outputs:
        if output.output_type == "error":
            yield f"the {which} output is an error ({output.ename})"
        elif output.get("name") == "stderr":
            yield f"{which} stderr is not empty ({output.text.strip()[:200]!r})"


def images(outputs: list) -> Iterator[tuple[str, str]]:
    """Each raster image shown, as (where it is, base64), those inside a text or JSON too."""
    for data in (output.data for output in outputs if "data" in output):
        for mime in sorted(data):
            if mime in ("image/png", "image/jpeg"):
                yield mime, data[mime]
            else:
                text = data[mime] if isinstance(data[mime], str) else text_form(data[mime])
                for inner, encoded in DATA_URI.findall(text):
                    yield f"{inner} in {mime}", encoded


def compare(old: str, new: str, name: str) -> str:
    """Say how two base64 images differ, leaving both to look at; empty if within tolerance."""
    try:
        a, b = (
            Image.open(io.BytesIO(base64.b64decode(s))).convert("RGBA") for s in (old, new)
        )
    except (OSError, ValueError) as error:
        return f"not an image ({error})"
    difference, verdict = (
        None,
        f"size {b.width} x {b.height}, stored {a.width} x {a.height}",
    )
    if a.size == b.size:
        difference = np.abs(np.asarray(a, float) - np.asarray(b, float))
        square = (difference**2).mean(axis=-1)
        tiles = np.add.reduceat(square, np.arange(0, a.height, TILE), axis=0)
        tiles = np.add.reduceat(tiles, np.arange(0, a.width, TILE), axis=1) / TILE**2
        whole, worst = np.sqrt(square.mean()), np.sqrt(tiles.max())
        if whole <= WHOLE and worst <= WORST:
            return ""
        verdict = (
            f"RMS {whole:.2f} (at most {WHOLE}), {worst:.1f} in the worst"
            f" {TILE} x {TILE} tile (at most {WORST})"
        )
    REPORTS.mkdir(parents=True, exist_ok=True)
    a.save(REPORTS / f"{name}-stored.png")
    b.save(REPORTS / f"{name}-fresh.png")
    if difference is not None:
        amplified = np.clip(8 * difference.max(axis=-1), 0, 255).astype(np.uint8)
        Image.fromarray(amplified).save(REPORTS / f"{name}-diff.png")
    return f"{verdict}; see _build/{REPORTS.name}/{name}-{{stored,fresh,diff}}.png"
