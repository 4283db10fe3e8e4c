"""What the chapters measure many times: tasks for sweeps, and the tables that they gave.

A draw is independent of all others: its own split of the data, its own text, its own start. Within
a draw all methods see the same. ``make sweeps`` writes the tables into book/data.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lecture_code.experiments import capacity, matrix_completion, ntk, path_norm, path_sgd
from lecture_code.sweep import Grid, Row, Task, recheck


@dataclass(frozen=True)
class Study:
    """A sweep of the book.

    ``steady`` says which rows a chapter can run again: in about a second, and with a result that
    rounding does not decide. ``chaotic`` names the numbers that it decides even there.
    """

    task: Task
    grid: Grid
    draws: int
    steady: Callable[[Row], bool] = lambda row: True
    chaotic: tuple[str, ...] = ()
    seed: int = 16


SMALL, USUAL = (4, 16, 64, 256, 1024), (4, 16, 64, 256)
CASES = [
    f"{name} {layers} {start}"
    for name in ("relu", "tanh")
    for layers in ("first", "both")
    for start in ("symmetric", "plain")
]
STUDIES = {
    "training": Study(
        path_sgd.training,
        {"spread": [0, 0.5, 1]},
        60,
        lambda row: row["spread"] < 1,
        ("SGD above",),
    ),
    "gap": Study(
        path_norm.gap,
        {
            "run": [f"true small {width}" for width in SMALL]
            + [f"true usual {width}" for width in USUAL]
            + [f"random {start} {width}" for start in ("small", "usual") for width in (64, 256)]
        },
        60,
    ),
    "recurrent": Study(
        path_sgd.recurrent,
        {
            "setting": ["16 8 150", "16 8 600", "16 8 1500", "64 8 150", "64 24 150", "64 24 500"],
        },
        10,
        lambda row: row["setting"] == "16 8 150",
        ("SGD", "SGD rate", "SGD failed"),
    ),
    "kernel_regime": Study(
        ntk.kernel_regime,
        {"case": CASES, "width": [4**k for k in range(3, 9)]},
        30,
        lambda row: row["width"] < 20000,
    ),
    "lazy_scale": Study(
        ntk.lazy_scale,
        {
            "case": ["relu first symmetric", "tanh both symmetric", "tanh both plain"],
            "alpha": [2**k for k in range(9)],
        },
        60,
        lambda row: row["alpha"] <= 32,  # beyond, where no neuron crosses, the gap is rounding
    ),
    "completion": Study(
        matrix_completion.completion,
        {
            "d": [30, 120, 500, 2000],
            "multiple": [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4],
            "z": ["flat", "Gaussian"],
        },
        40,
        lambda row: row["d"] <= 120,
    ),
    "trained_width": Study(
        capacity.trained_width,
        {"case": ["400 0 40", "200 0.2 600", "200 0.4 600"]},
        20,
        lambda row: row["case"] == "400 0 40",
    ),
    "feature_width": Study(
        capacity.feature_width,
        {"share": [0, 0.2, 0.4]},
        20,
        chaotic=("test 200 0", "norm 200"),  # a square matrix, nearly singular
    ),
}


def load(path: str | Path) -> list[Row]:
    """The rows of a table, with integers, numbers and strings told apart."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    return [{key: _plain(text) for key, text in row.items()} for row in csv.DictReader(lines)]


def _plain(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def again(
    name: str, rows: Sequence[Row], share: float = 0.01, choice: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of a share of a table's steady rows, as stored and as found anew.

    They agree to the four digits of the tables; what a failed run lacks and what is no number reads
    -1. Raises ``ValueError`` if a failure does not repeat.
    """
    study = STUDIES[name]
    steady = [row for row in rows if study.steady(row)]
    pairs = recheck(study.task, study.grid, study.seed, steady, share, choice)
    for old, new in pairs:
        if old["failure"] != new["failure"]:
            raise ValueError(f"rows: {old}; expected what the run gives, {new}")
    known = {*study.grid, "draw", "failure", *study.chaotic}
    names = [key for key in rows[0] if key not in known]
    old, new = (
        [[row.get(key, "") for key in names] for row in side] for side in zip(*pairs, strict=True)
    )
    return _numbers(old), _numbers(new)


def _numbers(table: list[list[Any]]) -> np.ndarray:
    flat = [np.nan if value == "" else float(value) for row in table for value in row]
    return np.nan_to_num(flat, nan=-1.0, posinf=-1.0)
