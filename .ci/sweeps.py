"""Run the book's own sweeps and write their tables into book/data."""

from __future__ import annotations

import argparse
import csv
import hashlib
import multiprocessing
import os
import platform
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import scipy

import lecture_code
from lecture_code.experiments import STUDIES
from lecture_code.limited import worker
from lecture_code.sweep import Row, sweep

ROOT = Path(__file__).resolve().parent.parent
TABLES, STORES = ROOT / "book" / "data", ROOT / ".sweeps"


def version() -> str:
    """A fingerprint of the mathematics: another one starts another store."""
    folder = Path(lecture_code.__file__).parent
    sources = sorted([*folder.glob("*.py"), *folder.glob("experiments/*.py")])
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def run(name: str, workers: int | None) -> list[Row]:
    """Carry a sweep to its end, on all cores or with so many workers."""
    study = STUDIES[name]
    store = STORES / f"{name}-{version()}.sqlite"
    STORES.mkdir(exist_ok=True)
    os.environ["OMP_NUM_THREADS"] = "1"  # for the workers, one on each core
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, worker) if workers else nullcontext() as pool:
        return sweep(study.task, study.grid, study.draws, study.seed, store, pool)


def write(name: str, rows: list[Row]) -> Path:
    """Write a table, numbers with four digits, and what made it."""
    study, path = STUDIES[name], TABLES / f"{name}.csv"
    failed = sum(bool(row["failure"]) for row in rows)
    notes = [
        f"make sweeps, {name}: {len(rows) // study.draws} points, {study.draws} draws each, "
        f"seed {study.seed}; {failed} of {len(rows)} runs failed",
        f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}",
    ]
    names = dict.fromkeys(key for row in rows for key in row if key != "failure")
    TABLES.mkdir(exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {note}\n" for note in notes)
        table = csv.DictWriter(file, [*names, "failure"], lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()})
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(STUDIES))
    parser.add_argument("--workers", type=int)
    options = parser.parse_args()
    for name in options.names or STUDIES:
        print(name, flush=True)
        print(write(name, run(name, options.workers)), flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command carries on from here")
