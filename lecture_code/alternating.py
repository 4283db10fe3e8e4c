r"""A matrix with holes and its factors: alternating exact ridge steps, and a certificate for them.

A matrix W of shape (m, n) has factors U of shape (m, k) and V of shape (n, k), :math:`W=UV^\top`.
Time and memory of a sweep are linear in the number of entries that are seen.

Source: talk, "Increasing the Rank"; Srebro, Rennie & Jaakkola (2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import svds

from lecture_code.checks import as_floats, as_integers, takes

DENSE = 1_000_000  # entries up to which a matrix is written out to find its operator norm


@dataclass(frozen=True)
class Table:
    """Seen ``values`` at (``rows``, ``columns``) of a matrix of that shape, each place once.

    ``p`` and ``q`` weight rows and columns in the norm (all 1 if not given).
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    shape: tuple[int, int]
    p: np.ndarray | None = None
    q: np.ndarray | None = None

    def __post_init__(self) -> None:
        values = as_floats("values", self.values)
        places = (("rows", "p", self.shape[0]), ("columns", "q", self.shape[1]))
        for name, weight, size in places:
            place = as_integers(name, getattr(self, name), 0, size - 1, values.shape)
            object.__setattr__(self, name, place.astype(np.int32))
            given = getattr(self, weight)
            weights = np.ones(size) if given is None else as_floats(weight, given)
            if weights.shape != (size,) or not (weights > 0).all():
                raise ValueError(
                    f"{weight}: shape {weights.shape}; expected {size} positive numbers"
                )
            object.__setattr__(self, weight, weights)
        object.__setattr__(self, "values", values)
        if values.ndim != 1 or self._seen.nnz != len(values):
            raise ValueError(f"values: shape {values.shape}; expected a vector, each place once")

    def on_entries(self, values: np.ndarray) -> csr_array:
        """The sparse matrix with these values at the seen places."""
        floats = as_floats("values", values)
        return csr_array((floats, (self.rows, self.columns)), self.shape)

    @cached_property
    def _seen(self) -> csr_array:
        return self.on_entries(np.ones(len(self.values)))

    @cached_property
    def _sides(self) -> tuple[tuple[csr_array, csr_array], tuple[csr_array, csr_array]]:
        pair = self._seen, self.on_entries(self.values)
        return pair, (pair[0].T.tocsr(), pair[1].T.tocsr())


@takes(Y="m n")
def table(Y: np.ndarray, seen: np.ndarray) -> Table:
    """The entries of ``Y`` where ``seen``, of the same shape, is not zero."""
    rows, columns = np.nonzero(np.broadcast_to(seen, Y.shape))
    return Table(rows, columns, Y[rows, columns], Y.shape)


@takes(U="m k", V="n k")
def entries(data: Table, U: np.ndarray, V: np.ndarray) -> np.ndarray:
    r"""The entries of :math:`UV^\top` at the seen places, column by column of the factors."""
    found = np.zeros(len(data.values))
    for u, v in zip(U.T, V.T, strict=True):
        found += u[data.rows] * v[data.columns]
    return found


@takes(U="m k", V="n k")
def objective(data: Table, U: np.ndarray, V: np.ndarray, lam: float) -> float:
    r""":math:`F=\frac12\sum_{seen}((UV^\top)_{ij}-y_{ij})^2+\frac\lambda2(\|U\|_p^2+\|V\|_q^2)`."""
    loss = np.sum((entries(data, U, V) - data.values) ** 2)
    return float(loss + lam * (data.p @ (U**2).sum(1) + data.q @ (V**2).sum(1))) / 2


@takes(U="m k", V="n k")
def alternate(
    data: Table, U: np.ndarray, V: np.ndarray, lam: float, sweeps: int, tolerance: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Minimises ``objective`` exactly in U, then in V, ``sweeps`` times; it never rises.

    It ends early when ten sweeps lower it by no more than a share ``tolerance``.
    """
    if not (lam > 0 and sweeps >= 1):
        raise ValueError(f"lam, sweeps: {lam}, {sweeps}; expected positive numbers")
    (seen, values), (seen_t, values_t) = data._sides
    last = np.inf
    for t in range(sweeps):
        U = _ridge(seen, values, V, lam * data.p)
        V = _ridge(seen_t, values_t, U, lam * data.q)
        if tolerance and t % 10 == 9:
            now = objective(data, U, V, lam)
            if last - now <= tolerance * now:
                break
            last = now
    return U, V


def _ridge(seen: csr_array, values: csr_array, V: np.ndarray, lam: np.ndarray) -> np.ndarray:
    """For each row of the table its ridge regression on the rows of V."""
    n, k = V.shape
    gram = (seen @ (V[:, :, None] * V[:, None, :]).reshape(n, k * k)).reshape(-1, k, k)
    gram[:, range(k), range(k)] += lam[:, None]
    return np.linalg.solve(gram, (values @ V)[..., None])[..., 0]


@takes(U="m k", V="n k")
def duality_gap(data: Table, U: np.ndarray, V: np.ndarray, lam: float) -> float:
    r"""How far :math:`W=UV^\top` can be from the least :math:`G(W)=\ell(W)+\lambda\|W\|_{tr(p,q)}`.

    .. math:: G(W)-\langle M,Y\rangle+\tfrac12\|M\|_F^2,\quad M=R\min(1,\lambda/\|R\|)

    with the residual R = Y - W on the seen places and the norm dual to the weighted one. The norm
    of a large R is that of Lanczos' method, to rounding.
    """
    residual = data.values - entries(data, U, V)
    root_p, root_q = np.sqrt(data.p), np.sqrt(data.q)
    R = data.on_entries(residual / (root_p[data.rows] * root_q[data.columns]))
    if R.shape[0] * R.shape[1] <= DENSE:
        size = float(np.linalg.norm(R.toarray(), 2))
    else:
        size = float(svds(R, 1, v0=np.ones(min(R.shape)), return_singular_vectors=False)[0])
    share = min(1.0, lam / size) if size else 1.0
    left, right = (np.linalg.qr(F, "r") for F in (root_p[:, None] * U, root_q[:, None] * V))
    primal = residual @ residual / 2 + lam * np.linalg.norm(left @ right.T, "nuc")
    return float(primal - share * (residual @ data.values) + share**2 * (residual @ residual) / 2)


@dataclass(frozen=True)
class Fit:
    """Factors of one width and their objective."""

    U: np.ndarray
    V: np.ndarray
    objective: float

    @property
    def W(self) -> np.ndarray:
        """The product of the factors."""
        return self.U @ self.V.T

    @property
    def rank(self) -> int:
        """The number of singular values above a thousandth of the largest."""
        sigma = np.linalg.svd(self.W, compute_uv=False)
        return int(np.sum(sigma > 1e-3 * sigma[0]))


@takes()
def rank_path(
    data: Table,
    ranks: Sequence[int],
    lam: float,
    rng: np.random.Generator,
    *,
    sweeps: int = 50,
    starts: int = 1,
    easing: Sequence[float] = (1.0,),
) -> list[Fit]:
    """Fits of growing width, each from the last one's factors with new small columns.

    The first is the best of ``starts`` runs from random factors. From each start lam is lowered by
    the factors ``easing`` to 1. Nothing certifies these fits but ``duality_gap``.
    """
    m, n = data.shape
    fits: list[Fit] = []
    for k in ranks:
        if fits:
            old = fits[-1].U, fits[-1].V
            new = (0.1 * rng.standard_normal((len(F), k - F.shape[1])) for F in old)
            tried = [[np.hstack(pair) for pair in zip(old, new, strict=True)]]
        else:
            tried = [[0.3 * rng.standard_normal((s, k)) for s in (m, n)] for _ in range(starts)]
        ends = []
        for U, V in tried:
            for factor in easing:
                U, V = alternate(data, U, V, factor * lam, sweeps)
            ends.append(Fit(U, V, objective(data, U, V, lam)))
        fits.append(min(ends, key=lambda fit: fit.objective))
    return fits
