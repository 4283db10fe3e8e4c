"""The book's own sweeps: the tasks on cases with a known end, and the stored tables."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lecture_code import experiments
from lecture_code.experiments import STUDIES, matrix_completion, path_norm, path_sgd
from lecture_code.sweep import points

ROOT = Path(__file__).resolve().parents[2]


def test_only_path_sgd_ends_alike_from_any_scale_of_the_units() -> None:
    ends = [path_sgd.training(np.random.default_rng(1), spread) for spread in (0, 1)]
    same = {name for name in ends[0] if ends[0][name] == ends[1][name]}
    assert same == {name for name in ends[0] if name.startswith("Path-SGD")}


def test_a_class_that_is_never_seen_is_a_failed_run() -> None:
    with pytest.raises(ArithmeticError, match="tolerance after 224 steps, margin 0"):
        path_norm.gap(np.random.default_rng(2), "true small 4")


def test_a_mask_that_shows_all_or_nothing() -> None:
    found = [
        matrix_completion.completion(np.random.default_rng(1), 30, multiple, "flat")
        for multiple in (30 / np.log(30), 0.3)
    ]
    assert found[0] == {"solved": 2, "diverged": 0, "determined": 1}
    assert found[1]["solved"] == found[1]["determined"] == 0


@pytest.mark.parametrize("name", STUDIES)
def test_a_stored_table_is_what_its_study_gives(name: str) -> None:
    study, rows = STUDIES[name], experiments.load(ROOT / "book" / "data" / f"{name}.csv")
    where = [point | {"draw": j} for point in points(study.grid) for j in range(study.draws)]
    assert [{key: row[key] for key in where[0]} for row in rows] == where
    old, new = experiments.again(name, rows, share=1e-6, choice=7)
    np.testing.assert_allclose(old, new, rtol=1e-3)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script behind ``make sweeps``, writing elsewhere."""
    spec = importlib.util.spec_from_file_location("sweeps", ROOT / ".ci" / "sweeps.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TABLES", tmp_path)
    return module


def test_a_table_is_read_as_it_was_written(script: ModuleType) -> None:
    rows = [
        {"run": "true small 4", "draw": 0, "value": 1.23456, "count": 3, "failure": ""},
        {"run": "true small 4", "draw": 1, "failure": "ArithmeticError: a, b"},
    ]
    path = script.write("gap", rows)
    assert "1 of 2 runs failed" in path.read_text()
    assert experiments.load(path) == [
        rows[0] | {"value": 1.235},
        rows[1] | {"value": "", "count": ""},
    ]
