"""The ledger: every statement of the book by id, with its source and its errata."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Literal

Kind = Literal["error", "misprint", "remark", "dated"]


@dataclass(frozen=True)
class Erratum:
    """One place where the source and the truth differ.

    ``kind`` says whether the source is at fault ("error"), has a slip of the pen ("misprint"), is
    made more precise ("remark"), or was right when it was written ("dated").
    """

    where: str
    printed: str
    corrected: str
    why: str
    kind: Kind = "error"


@dataclass(frozen=True)
class Statement:
    """One row of the ledger; the statement itself stands in the chapter, under the same id."""

    id: str
    chapter: str
    title: str
    source: str
    errata: tuple[Erratum, ...] = ()


@functools.cache
def ledger() -> Mapping[str, Statement]:
    """All statements of the book by id, as ``ledger.toml`` lists them."""
    text = resources.files(__package__).joinpath("ledger.toml").read_text(encoding="utf-8")
    return {
        key: Statement(id=key, errata=tuple(Erratum(**e) for e in row.pop("errata", ())), **row)
        for key, row in tomllib.loads(text).items()
    }


def lookup(statement_id: str) -> Statement:
    """The ledger's row of that id; ``ValueError`` if there is none."""
    try:
        return ledger()[statement_id]
    except KeyError:
        raise ValueError(
            f"id: {statement_id!r} is not in the ledger; expected one of {sorted(ledger())}"
        ) from None
