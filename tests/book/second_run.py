"""Runs a notebook, then its code cells once more, each by itself: second_run.py NOTEBOOK [--every].

Prints, as JSON, what is wrong with the second run of a cell, by the cell's id. Each second run
starts from where the whole notebook ended, in a forked copy of this process, so that none sees
what another did. Running all cells in order once more would prove nothing: each would find the
names that the cells before it have just set again.

A cell that finds all names that it reads as they were before its first run would only do again
what it did then (that it does the same is nbval's to say). It is run again with --every alone.
"""

from __future__ import annotations

import ast
import dis
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from pickle import PicklingError
from types import CodeType
from typing import Any

import cloudpickle
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.figure import Figure
from PIL import Image
from traitlets.config import Config

from lecture_code.display import plotting

SIDE_BY_SIDE = 2
PATIENCE = 60  # seconds a cell, as nbval has it
WIDGETS = "application/vnd.jupyter.widget"  # another id each time
BY_NAME = re.compile("(LOAD|STORE|DELETE)_.*(NAME|GLOBAL)")
MAY_SKIP = (ast.If, ast.Try, ast.While, ast.For, ast.Match)
PIXELS = re.compile(r"data:image/[a-z]+;base64,[A-Za-z0-9+/=]+")

Texts = list[str]


def run(shell: InteractiveShell, source: str) -> tuple[Texts, str]:
    """The texts that a cell shows, alternative texts of figures among them, and its error."""
    with shell.display_trap, capture_output() as seen:
        result = shell.run_cell(source)
    error = result.error_before_exec or result.error_in_exec
    texts = [seen.stdout, seen.stderr]
    for output in seen.outputs:
        for kind, data in sorted(output.data.items(), reverse=True):  # plain text first
            if not kind.startswith(("image/", WIDGETS)):
                texts.append(data if isinstance(data, str) else json.dumps(data))
    message = f"{type(error).__name__}: {error}" if error else ""
    return [PIXELS.sub("PIXELS", text) for text in texts], message


def complaint(shell: InteractiveShell, source: str, first: Texts) -> str:
    """What is wrong with running this cell now, if it showed ``first`` before; or nothing."""
    texts, error = run(shell, source)
    if error or texts == first:
        return error
    pairs = zip([*first, ""], [*texts, ""], strict=False)
    old, new = next((pair for pair in pairs if pair[0] != pair[1]), ("", ""))
    return f"it shows {new!r}, before {old!r}"


def second_runs(
    shell: InteractiveShell, cells: dict[str, str], first: dict[str, Texts]
) -> dict[str, str]:
    """The complaints about the cells by id, each cell run in a forked copy of this process."""
    waiting = list(cells)
    running: dict[int, tuple[str, int]] = {}
    found: dict[str, str] = {}
    while waiting or running:
        while waiting and len(running) < SIDE_BY_SIDE:
            name = waiting.pop(0)
            reader, writer = os.pipe()
            if not (child := os.fork()):
                signal.alarm(PATIENCE)  # ends the copy
                text = complaint(shell, cells[name], first[name])
                os.write(writer, text.encode()[:2000])
                os._exit(0)
            os.close(writer)
            running[child] = name, reader
        child, status = os.wait()
        name, reader = running.pop(child)
        with os.fdopen(reader, errors="replace") as pipe:
            text = pipe.read()
        if status:
            text = f"it did not end well: wait status {status} (14: longer than {PATIENCE} s)"
        if text:
            found[name] = text
    return found


def touched(code: CodeType) -> Iterator[tuple[str, bool]]:
    """The global names in a piece of code, in order, each with whether it is set there."""
    for step in dis.get_instructions(code):
        if isinstance(step.argval, CodeType):
            yield from touched(step.argval)
        elif BY_NAME.match(step.opname):
            yield step.argval, step.opname.startswith("STORE")


def read(source: str) -> set[str]:
    """The names that a cell may read as others have left them."""
    own: set[str] = set()
    others: set[str] = set()
    for statement in ast.parse(source).body:
        here = set()
        for name, is_set in touched(compile(ast.Module([statement], []), "cell", "exec")):
            if is_set:
                here.add(name)
            elif name not in own | here:
                others.add(name)
        defines = isinstance(statement, ast.FunctionDef | ast.ClassDef)
        if defines or not any(isinstance(part, MAY_SKIP) for part in ast.walk(statement)):
            own |= here
    return others


def meaning(shell: InteractiveShell, source: str) -> bytes:
    """All that a cell reads by name; of a function also what it reads in turn."""
    values: dict[str, Any] = shell.user_ns
    try:
        return cloudpickle.dumps(
            {name: values[name] for name in sorted(read(source)) if name in values}
        )
    except (TypeError, PicklingError):  # what cannot be compared is run again
        return os.urandom(16)


def unpainted(fig: Figure) -> Image.Image:
    """An empty picture of the size: pictures are not compared, and nbval paints them."""
    return Image.new("RGB", tuple(int(side * fig.dpi) for side in fig.get_size_inches()))


def main(notebook: Path, every: bool) -> None:
    """Run the notebook twice, in the way described above, and print what is found."""
    plotting.pixels = unpainted
    content = json.loads(notebook.read_text(encoding="utf-8"))
    code = (cell for cell in content["cells"] if cell["cell_type"] == "code")
    cells = {cell["id"]: "".join(cell["source"]) for cell in code}
    os.chdir(notebook.parent)
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    first, before = {}, {}
    for name, source in cells.items():
        before[name] = meaning(shell, source)
        first[name], error = run(shell, source)
        if error:
            sys.exit(f"{notebook.name}: cell {name} fails when run for the first time: {error}")
    again = {
        name: source
        for name, source in cells.items()
        if every or meaning(shell, source) != before[name]
    }
    print(json.dumps(second_runs(shell, again, first)))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), "--every" in sys.argv)
