"""Sweeps: seeds, restarts, failures, whoever runs them and however they end."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import sweep_tasks as tasks

from lecture_code.sweep import points, recheck, sweep

GRID = {"scale": np.array([0.5, 2.0]), "sign": [1, -1]}
SEED, DRAWS = 16, 3


def expected(draws: int = DRAWS) -> list[dict[str, Any]]:
    """The table of ``sample``, from seeds spawned one by one."""
    rows = []
    for point, family in zip(points(GRID), np.random.SeedSequence(SEED).spawn(4), strict=True):
        for draw, child in enumerate(family.spawn(draws)):
            found = tasks.sample(np.random.default_rng(child), **point)
            rows.append(point | {"draw": draw} | found | {"failure": ""})
    return rows


@contextmanager
def own() -> Iterator[None]:
    yield None


@pytest.mark.parametrize("workers", [own, ThreadPoolExecutor, partial(ProcessPoolExecutor, 1)])
def test_the_table_depends_on_the_seeds_only(workers: Callable[[], Any], tmp_path: Path) -> None:
    with workers() as executor:
        found = sweep(tasks.sample, GRID, DRAWS, SEED, tmp_path / "store", executor)
    assert found == expected()


def test_what_is_stored_does_not_run_again(tmp_path: Path) -> None:
    grid = {"log": [str(tmp_path / "log")], "level": [1, 2]}
    with ProcessPoolExecutor(1) as executor:
        few = sweep(tasks.logged, grid, 2, SEED, tmp_path / "store", executor)
        many = sweep(tasks.logged, grid, 5, SEED, tmp_path / "store", executor)
        again = sweep(tasks.logged, grid, 2, SEED, tmp_path / "store", executor)
    assert (tmp_path / "log").read_text().count("run") == 10
    assert again == few == [row for row in many if row["draw"] < 2]
    assert [(row["level"], row["draw"]) for row in many] == [
        (k, j) for k in (1, 2) for j in range(5)
    ]


FAILURES = {
    "raises": "ArithmeticError: left every bound",
    "leaves": "SystemExit: had enough",
    "returns text": "ValueError: can only convert an array of size 1 to a Python scalar",
    "dies": "RuntimeError: its process ended with status -9",
    "hangs": "TimeoutError: no result within 5 s",
}


@pytest.mark.parametrize("workers", [own, ThreadPoolExecutor])
def test_a_run_that_goes_wrong_is_one_failure(workers: Callable[[], Any], tmp_path: Path) -> None:
    grid = {"kind": [*FAILURES, "works"]}
    with workers() as executor:
        rows = sweep(tasks.misfit, grid, 1, SEED, tmp_path / "store", executor, limit=5)
    assert {row["kind"]: row["failure"] for row in rows} == {**FAILURES, "works": ""}
    assert [row["kind"] for row in rows if "value" in row] == ["works"]
    assert sweep(tasks.misfit, grid, 1, SEED, tmp_path / "store", Nobody()) == rows


class Nobody(Executor):
    """An executor that must not be asked."""

    def submit(self, *args: object, **kwargs: object) -> Any:
        raise AssertionError("a run was asked for")


@pytest.mark.weekly
def test_a_loop_in_compiled_code_is_one_failure(tmp_path: Path) -> None:
    rows = sweep(tasks.misfit, {"kind": ["deaf", "works"]}, 2, SEED, tmp_path / "store", limit=5)
    late = FAILURES["hangs"]
    assert [row["failure"] for row in rows] == [late, late, "", ""]


@pytest.mark.parametrize(
    ("part", "other"), [("task", tasks.logged), ("grid", {**GRID, "sign": [1]}), ("seed", SEED + 1)]
)
def test_the_store_of_another_sweep_is_refused(part: str, other: Any, tmp_path: Path) -> None:
    mine = {"task": tasks.sample, "grid": GRID, "seed": SEED}
    with ThreadPoolExecutor() as executor:
        sweep(**mine, draws=1, store=tmp_path / "store", executor=executor)
    with pytest.raises(ValueError, match=rf"store: .*another \['{part}'\]"):
        sweep(**{**mine, part: other}, draws=1, store=tmp_path / "store", executor=Nobody())


def test_the_store_only_grows(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as executor:
        sweep(tasks.sample, GRID, 1, SEED, tmp_path / "store", executor)
    with closing(sqlite3.connect(tmp_path / "store")) as store:
        for command in ("UPDATE result SET outcome = '{}'", "DELETE FROM result"):
            with pytest.raises(sqlite3.IntegrityError, match="kept"):
                store.execute(command)


def test_a_task_that_no_worker_could_import_is_refused(tmp_path: Path) -> None:
    def local(rng: np.random.Generator) -> dict[str, float]:
        return {}

    for task in (local, lambda rng: {}, partial(tasks.slow, pause=0)):
        with pytest.raises(ValueError, match=r"task: .*top level of a module"):
            sweep(task, {}, 1, SEED, tmp_path / "store")


@pytest.mark.parametrize(
    "change",
    [{"draws": 0}, {"seed": -1}, {"limit": 0}]
    + [{"grid": {"scale": axis}} for axis in ([], [1, 1.0], [[1, 2]])],
)
def test_arguments_out_of_range_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    fine = {"grid": GRID, "draws": 1, "seed": SEED, "store": tmp_path / "store"}
    with pytest.raises(ValueError, match="expected"):
        sweep(tasks.sample, **{**fine, **change}, executor=Nobody())


def test_a_share_of_the_rows_runs_again() -> None:
    rows = expected()
    pairs = recheck(tasks.sample, GRID, SEED, rows, share=0.5, choice=3)
    assert len(pairs) == 6
    assert all(old == new for old, new in pairs)
    assert pairs == recheck(tasks.sample, GRID, SEED, rows, share=0.5, choice=3)
    assert len(recheck(tasks.sample, GRID, SEED, rows, share=1e-3)) == 1
    with pytest.raises(ValueError, match="not in list"):
        recheck(tasks.sample, {**GRID, "sign": [2]}, SEED, rows)


def start(folder: Path, pause: float, levels: int, draws: int) -> subprocess.Popen[str]:
    """A process that sweeps with local workers."""
    here = str(Path(tasks.__file__).parent)
    script = folder / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {here!r})\n"
        "import sweep_tasks\nfrom lecture_code.sweep import sweep\n"
        f"grid = {{'pause': [{pause}], 'level': list(range({levels}))}}\n"
        "if __name__ == '__main__':\n"
        f"    sweep(sweep_tasks.slow, grid, {draws}, {SEED}, {str(folder / 'store')!r})\n"
    )
    return subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE, text=True)


def stored(folder: Path) -> dict[tuple[int, int], dict[str, Any]]:
    """What a store holds, by point and draw."""
    with closing(sqlite3.connect(folder / "store", timeout=60)) as store:
        if not store.execute("SELECT 1 FROM sqlite_master WHERE name = 'result'").fetchone():
            return {}
        return {(i, j): json.loads(text) for i, j, text in store.execute("SELECT * FROM result")}


def more_than(folder: Path, known: int) -> bool:
    return len(stored(folder)) > known


def until(condition: Callable[[], object], patience: float = 60.0) -> None:
    """Wait for a condition."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("known", [-1, 5], ids=["while workers start", "with all of them up"])
def test_an_interrupt_ends_at_once_and_keeps_what_is_done(known: int, tmp_path: Path) -> None:
    process = start(tmp_path, pause=0.01, levels=100000, draws=1)
    until(lambda: psutil.Process(process.pid).children(recursive=True))
    until(partial(more_than, tmp_path, known))
    workers = psutil.Process(process.pid).children(recursive=True)
    for one in [*workers, psutil.Process(process.pid)]:  # as a terminal does
        one.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert errors.count("Traceback") == errors.count("KeyboardInterrupt") == 1
    assert psutil.wait_procs(workers, timeout=60)[1] == []
    assert len(stored(tmp_path)) > known


@pytest.mark.weekly
def test_a_run_killed_twenty_times_ends_with_the_same_table(tmp_path: Path) -> None:
    rng, before = np.random.default_rng(SEED), {}
    levels, draws = 500, 6
    for _ in range(20):
        process = start(tmp_path, 0.02, levels, draws)
        until(partial(more_than, tmp_path, len(before)))
        time.sleep(rng.uniform(0, 0.5))
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.communicate()
        assert psutil.wait_procs(workers, timeout=60)[1] == []
        now = stored(tmp_path)
        assert before.items() <= now.items()
        before = now
    assert len(before) < levels * draws
    process = start(tmp_path, 0.02, levels, draws)
    assert process.communicate() == (None, "")
    assert process.returncode == 0
    assert {key: row["value"] for key, row in stored(tmp_path).items()} == {
        (i, j): i + np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(i, j))).random()
        for i in range(levels)
        for j in range(draws)
    }


@pytest.mark.weekly
@pytest.mark.filterwarnings("default")  # those of dask are not ours
def test_a_cluster_finds_the_same_table(tmp_path: Path) -> None:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
        client.get_executor() as executor,
    ):
        assert len(client.scheduler_info()["workers"]) == 2
        found = sweep(tasks.sample, GRID, DRAWS, SEED, tmp_path / "store", executor)
        grid = {"kind": [*FAILURES, "works"]}
        wrong = sweep(tasks.misfit, grid, 1, SEED, tmp_path / "wrong", executor, limit=5)
    assert found == expected()
    assert {row["kind"]: row["failure"] for row in wrong} == {**FAILURES, "works": ""}
