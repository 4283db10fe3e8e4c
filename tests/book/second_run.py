"""Runs a notebook, then each of its code cells once more, by itself: second_run.py NOTEBOOK.

Prints, as JSON, what is wrong with the second run of a cell, by the cell's id. Each second run
starts from where the whole notebook ended, in a forked copy of this process, so that none sees
what another did. Running all cells in order once more would prove nothing: each would find the
names that the cells before it have just set again.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.figure import Figure
from PIL import Image
from traitlets.config import Config

from lecture_code.display import plotting

SIDE_BY_SIDE = 2
PATIENCE = 60  # seconds a cell, as nbval has it
WIDGETS = "application/vnd.jupyter.widget"  # another id each time
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


def unpainted(fig: Figure) -> Image.Image:
    """An empty picture of the size: pictures are not compared, and nbval paints them."""
    return Image.new("RGB", tuple(int(side * fig.dpi) for side in fig.get_size_inches()))


def main(notebook: Path) -> None:
    """Run the notebook twice, in the way described above, and print what is found."""
    plotting.pixels = unpainted
    content = json.loads(notebook.read_text(encoding="utf-8"))
    code = (cell for cell in content["cells"] if cell["cell_type"] == "code")
    cells = {cell["id"]: "".join(cell["source"]) for cell in code}
    os.chdir(notebook.parent)
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    first = {}
    for name, source in cells.items():
        first[name], error = run(shell, source)
        if error:
            sys.exit(f"{notebook.name}: cell {name} fails when run for the first time: {error}")
    print(json.dumps(second_runs(shell, cells, first)))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
