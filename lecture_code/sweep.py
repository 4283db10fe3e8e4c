"""Measured means many: run a task at every point of a grid, many times, and keep each result.

A task is a function ``task(rng, **point)`` at the top level of a module; it returns numbers.
Draw j at point i has the generator of ``SeedSequence(seed, spawn_key=(i, j))``, so that neither
order nor workers nor restarts change a result. What is in the store never runs again.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from lecture_code.limited import Job, attempt, call, held, worker

Task = Callable[..., Mapping[str, float]]
Grid = Mapping[str, Sequence[Any]]
Row = dict[str, Any]
AHEAD = 256  # runs that the executor is given at a time
SCHEMA = """BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS about (one INT PRIMARY KEY, sweep TEXT);
CREATE TABLE IF NOT EXISTS result (point INT, draw INT, outcome TEXT, PRIMARY KEY (point, draw));
CREATE TRIGGER IF NOT EXISTS keep BEFORE UPDATE ON result BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TRIGGER IF NOT EXISTS hold BEFORE DELETE ON result BEGIN SELECT RAISE(ABORT, 'kept'); END;
COMMIT"""


def sweep(
    task: Task,
    grid: Grid,
    draws: int,
    seed: int,
    store: str | Path,
    executor: Executor | None = None,
    *,
    limit: float = 600.0,
) -> list[Row]:
    """Run what the store lacks; return a row for each point and draw, in this order.

    A run that raises, kills its process or takes over ``limit`` seconds is a row with a message
    under "failure" and is not repeated. ``draws`` may grow from call to call. ``executor`` is any
    of ``concurrent.futures``, local processes by default, or dask's ``Client.get_executor()``.

    Raises ``ValueError`` for arguments out of range, a task that workers cannot import, or a store
    of another task, grid or seed. After anything else that it raises, the same call carries on.
    """
    fine = draws >= 1 and seed >= 0 and limit > 0
    _check(fine, "draws, seed, limit", (draws, seed, limit), "at least 1, at least 0, positive")
    name, where = _name(task), points(grid)
    with closing(sqlite3.connect(store, timeout=60)) as table:
        _claim(table, {"task": name, "grid": where, "seed": seed})
        known = set(table.execute("SELECT point, draw FROM result"))
        keys = [(i, j) for j in range(draws) for i in range(len(where))]
        jobs = [(name, where[i], seed, (i, j)) for i, j in keys if (i, j) not in known]
        bar = tqdm(total=len(keys), initial=len(keys) - len(jobs), disable=None)
        with bar, closing(_run(jobs[::-1], executor, limit)) as batches:
            for batch in batches:
                with table:
                    table.executemany("INSERT OR IGNORE INTO result VALUES (?, ?, ?)", batch)
                bar.update(len(batch))
        rows = table.execute("SELECT * FROM result WHERE draw < ? ORDER BY 1, 2", (draws,))
        return [where[i] | {"draw": j} | json.loads(outcome) for i, j, outcome in rows]


def points(grid: Grid) -> list[Row]:
    """All combinations of the values of a grid, the last name fastest.

    Raises ``ValueError`` if an axis is empty, repeats a value or holds more than plain values.
    """
    axes = [[v.item() if isinstance(v, np.generic) else v for v in axis] for axis in grid.values()]
    for name, axis in zip(grid, axes, strict=True):
        plain = all(isinstance(value, bool | int | float | str) for value in axis)
        _check(plain and 0 < len(axis) == len(set(axis)), name, axis, "distinct plain values")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*axes)]


def recheck(
    task: Task, grid: Grid, seed: int, rows: Sequence[Row], share: float = 0.01, choice: int = 0
) -> list[tuple[Row, Row]]:
    """Run a share of a table's rows again, at least one, drawn with the seed ``choice``: old, new.

    Raises ``ValueError`` if a row is off the grid.
    """
    where, rng, pairs = points(grid), np.random.default_rng(choice), []
    for k in rng.permutation(len(rows))[: max(1, round(share * len(rows)))]:
        at = where.index({name: rows[k][name] for name in grid})
        new = json.loads(call(_name(task), where[at], seed, (at, rows[k]["draw"])))
        pairs.append((rows[k], where[at] | {"draw": rows[k]["draw"]} | new))
    return pairs


def _run(queue: list[Job], executor: Executor | None, limit: float) -> Iterator[list[tuple]]:
    """Batches of (point, draw, outcome). After a worker's death each run has its own process."""
    others, running = set(multiprocessing.active_children()), {}
    pool = executor or ProcessPoolExecutor(None, multiprocessing.get_context("spawn"), worker)
    try:
        while queue or running:
            for job in [queue.pop() for _ in range(min(len(queue), AHEAD - len(running)))]:
                with held():
                    try:
                        run = pool.submit(attempt, job, limit)
                    except RuntimeError as broken:
                        (run := Future()).set_exception(broken)
                    running[run] = job
            ended = [(run, running.pop(run)) for run in wait(running, None, "FIRST_COMPLETED").done]
            yield [(*job[-1], run.result()) for run, job in ended if not run.exception()]
            lost = [(run.exception(), job) for run, job in ended if run.exception()]
            if lost and executor:
                raise lost[0][0]
            pool = ThreadPoolExecutor(os.cpu_count()) if lost else pool
            queue += [job for _, job in lost]
    finally:
        if executor:
            for run in running:
                run.cancel()
        else:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - others if running else ():
                process.kill()
            pool.shutdown()


def _claim(table: sqlite3.Connection, sweep: Row) -> None:
    table.executescript(SCHEMA)
    with table:
        table.execute("INSERT OR IGNORE INTO about VALUES (1, ?)", (json.dumps(sweep),))
    found = json.loads(table.execute("SELECT sweep FROM about").fetchone()[0])
    other = [part for part in sweep if found[part] != sweep[part]]
    _check(not other, "store", found["task"], f"a new file, for this one has another {other}")


def _name(task: Task) -> str:
    name = getattr(task, "__qualname__", "?")
    known = name.isidentifier() and task.__module__ != "__main__"
    _check(known, "task", task, "a function at the top level of a module that workers can import")
    return f"{task.__module__}:{name}"


def _check(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name}: {value!r}; expected {expected}")
