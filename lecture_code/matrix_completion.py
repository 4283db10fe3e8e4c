r"""Rank-one and rank-r matrix completion: the objective, its derivatives and what the mask does.

An observation is a set of index pairs with weights, stored as a sparse matrix, so that every
function here costs time and memory proportional to the number of pairs. Points are columns: ``x``
has shape (d,) or, for a batch of k starts, (d, k). With ``S`` the mask, ``p`` its density and ``J``
the all-ones matrix, the error of the mask is ``E = S/p - J`` (symmetric part), and everything that
the sampled objective f does differently from the full objective g goes through bilinear forms of
``E``.

Source: lecture 11, sections 11.1 and 11.2; Ge, Lee & Ma (2016).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh


@dataclass(frozen=True)
class Completion:
    r"""An instance: the truth ``z z^T`` and the mask through which it is seen.

    ``z`` has shape (d,), or (d, r) for a truth of rank r; ``mask`` is a sparse (d, d) matrix of
    non-negative weights (0/1 for a sample of entries); ``p`` is the probability with which entries
    were drawn, or for a mask that was written down, the density to compare with; ``noise`` is a
    sparse matrix on the mask's pattern that is added to the observed entries.
    """

    z: np.ndarray
    mask: sparse.csr_array
    p: float
    noise: sparse.csr_array | None = None

    def __post_init__(self) -> None:
        d = self.z.shape[0]
        if self.mask.shape != (d, d):
            raise ValueError(
                f"mask: shape {self.mask.shape}; expected ({d}, {d}) as z has {d} rows"
            )
        if not 0 < self.p <= 1:
            raise ValueError(f"p: {self.p}; expected a probability in (0, 1]")

    @property
    def d(self) -> int:
        """The dimension."""
        return self.z.shape[0]

    @cached_property
    def weights(self) -> sparse.csr_array:
        r"""The symmetric part :math:`(S + S^\top)/2`: all that f depends on, M being symmetric."""
        symmetric = sparse.csr_array((self.mask + self.mask.T) / 2)
        symmetric.eliminate_zeros()
        return symmetric

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column indices of the symmetrised mask's entries, in CSR order."""
        entries = self.weights.tocoo()
        return entries.row, entries.col

    @cached_property
    def observed(self) -> sparse.csr_array:
        r"""The symmetric part of :math:`P_\Omega(M)`, noise included."""
        rows, columns = self.pairs
        factors = self.z.reshape(self.d, -1)
        seen = self.weights.data * _entries(factors, factors, rows, columns)
        if self.noise is not None and rows.size:
            seen = seen + (sparse.csr_array(self.noise + self.noise.T) / 2)[rows, columns]
        return self._like_weights(seen)

    def _like_weights(self, data: np.ndarray) -> sparse.csr_array:
        w = self.weights
        return sparse.csr_array((data, w.indices, w.indptr), shape=w.shape)


def random_mask(
    d: int, p: float, rng: np.random.Generator, *, symmetric: bool = True
) -> sparse.csr_array:
    """A mask that keeps each entry with probability p; if symmetric, (i, j) and (j, i) together.

    The number of entries is drawn first and then their places, so that memory is O(p d^2). Raises
    ``ValueError`` if p is not a probability. Source: lecture 11, Definition 11.2.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p: {p}; expected a probability")
    cells = d * (d + 1) // 2 if symmetric else d * d
    chosen = rng.choice(cells, size=rng.binomial(cells, p), replace=False, shuffle=False)
    if not symmetric:
        return _mask(*np.divmod(chosen, d), d)
    columns = ((np.sqrt(8.0 * chosen + 1) - 1) / 2).astype(np.int64)
    columns -= columns * (columns + 1) // 2 > chosen
    columns += (columns + 1) * (columns + 2) // 2 <= chosen
    rows = chosen - columns * (columns + 1) // 2
    off = rows != columns
    return _mask(np.r_[rows, columns[off]], np.r_[columns, rows[off]], d)


def _mask(rows: np.ndarray, columns: np.ndarray, d: int) -> sparse.csr_array:
    return sparse.csr_array((np.ones(rows.size), (rows, columns)), shape=(d, d))


def flat_vector(d: int, rng: np.random.Generator) -> np.ndarray:
    r"""A unit vector of random signs: all entries :math:`\pm 1/\sqrt d`, so mu = 1."""
    return rng.choice([-1.0, 1.0], d) / np.sqrt(d)


def gaussian_vector(d: int, rng: np.random.Generator) -> np.ndarray:
    r"""A unit vector of uniform direction: mu is about :math:`\sqrt{2\log d}`."""
    z = rng.standard_normal(d)
    return z / np.linalg.norm(z)


def random_instance(
    d: int,
    p: float,
    rng: np.random.Generator,
    *,
    vector: Callable[[int, np.random.Generator], np.ndarray] = flat_vector,
    symmetric: bool = True,
) -> Completion:
    """A random truth of dimension d and a random mask of density p."""
    return Completion(vector(d, rng), random_mask(d, p, rng, symmetric=symmetric), p)


def incoherence(x: np.ndarray) -> float:
    r"""The least mu with :math:`\|x\|_\infty \le \mu\|x\|_2/\sqrt d`; from 1 (flat) to sqrt d."""
    return float(np.sqrt(x.shape[0]) * np.max(np.abs(x)) / np.linalg.norm(x))


def project(matrix: np.ndarray, mask: sparse.csr_array) -> np.ndarray:
    r""":math:`P_\Omega(A)`: the matrix with zeros outside the mask (Definition 11.1)."""
    return mask.toarray() * matrix


def objective(problem: Completion, x: np.ndarray) -> np.ndarray:
    r""":math:`f(x) = \tfrac12\|P_\Omega(M - xx^\top)\|_F^2`, one value for each column of x.

    For weights w it is half the sum of :math:`w_{ij}(M_{ij}-x_ix_j)^2`. Noise on an entry must come
    with weight 1. Source: lecture 11, (11.1).
    """
    rows, columns = problem.pairs
    w, target = problem.weights.data, problem.observed.data
    points = x.reshape(problem.d, -1)
    values = [
        0.5 * np.sum((target - w * point[rows] * point[columns]) ** 2 / w) for point in points.T
    ]
    return np.array(values) if x.ndim == 2 else values[0]


def gradient(problem: Completion, x: np.ndarray) -> np.ndarray:
    r""":math:`\nabla f(x) = -2\,\bar P(M - xx^\top)\,x`, for one point or a batch of columns.

    :math:`\bar P` weighs with the symmetric part of the mask. Entry by entry
    :math:`-2\,[\bar P(M)x - x\circ \bar S(x\circ x)]`: two sparse products. Source: lecture 11,
    (11.5), with the factor -2 and the symmetric part that our copy leaves out.
    """
    return -2.0 * (problem.observed @ x - x * (problem.weights @ (x * x)))


def hessian_product(problem: Completion, x: np.ndarray, v: np.ndarray) -> np.ndarray:
    r""":math:`\nabla^2 f(x)\,v` at one point x of shape (d,), in two sparse products.

    :math:`2\,[v\circ\bar S(x\circ x) + 2x\circ\bar S(x\circ v) - \bar P(M)v]`.
    """
    s = problem.weights
    return 2.0 * (v * (s @ (x * x)) + 2.0 * x * (s @ (x * v)) - problem.observed @ v)


def hessian(problem: Completion, x: np.ndarray) -> np.ndarray:
    """The dense Hessian of f at x, shape (d, d); for small d."""
    s = problem.weights.toarray()
    return 2.0 * (np.diag(s @ (x * x)) + 2.0 * s * np.outer(x, x) - problem.observed.toarray())


def gradient_form(problem: Completion, x: np.ndarray, v: np.ndarray) -> float:
    r""":math:`\langle v,\nabla f(x)\rangle = -2\langle vx^\top, \bar P(M-xx^\top)\rangle`.

    Source: lecture 11, (11.5), with the factor -2.
    """
    rows, columns = problem.pairs
    residual = problem.observed.data - problem.weights.data * x[rows] * x[columns]
    return float(-2.0 * np.sum(v[rows] * x[columns] * residual))


def hessian_form(problem: Completion, x: np.ndarray, v: np.ndarray) -> float:
    r""":math:`\langle v,\nabla^2 f(x)v\rangle = \|P_\Omega(vx^\top+xv^\top)\|_F^2
    - 2\langle P_\Omega(M-xx^\top), vv^\top\rangle`, the quadratic form (11.6)."""
    rows, columns = problem.pairs
    w = problem.weights.data
    residual = problem.observed.data - w * x[rows] * x[columns]
    square = np.sum(w * (v[rows] * x[columns] + x[rows] * v[columns]) ** 2)
    return float(square - 2.0 * np.sum(residual * v[rows] * v[columns]))


def full_objective(z: np.ndarray, x: np.ndarray) -> float:
    r""":math:`g(x) = \tfrac12\|zz^\top - xx^\top\|_F^2`, from inner products alone."""
    return 0.5 * float((z @ z) ** 2 - 2 * (x @ z) ** 2 + (x @ x) ** 2)


def full_gradient(z: np.ndarray, x: np.ndarray) -> np.ndarray:
    r""":math:`\nabla g(x) = -2\,(\langle x,z\rangle z - \|x\|^2 x)`."""
    return -2.0 * ((x @ z) * z - (x @ x) * x)


def full_hessian_form(z: np.ndarray, x: np.ndarray, v: np.ndarray) -> float:
    r""":math:`\langle v,\nabla^2 g(x)v\rangle = 2\|v\|^2\|x\|^2+4\langle v,x\rangle^2
    -2\langle v,z\rangle^2`."""
    return float(2 * (v @ v) * (x @ x) + 4 * (v @ x) ** 2 - 2 * (v @ z) ** 2)


def sample_error(problem: Completion, u: np.ndarray, v: np.ndarray) -> float:
    r""":math:`\langle P_\Omega(uu^\top),vv^\top\rangle/p - \langle uu^\top,vv^\top\rangle`.

    Equal to :math:`(u\circ v)^\top E\,(u\circ v)`. Source: lecture 11, Lemma 11.6.
    """
    return error_form(problem, u * v, u * v)


def error_form(problem: Completion, a: np.ndarray, b: np.ndarray) -> float:
    r""":math:`a^\top E\,b` with :math:`E = \bar S/p - J`."""
    return float(a @ (problem.weights @ b) / problem.p - a.sum() * b.sum())


def error_operator(problem: Completion) -> LinearOperator:
    """E as a linear operator: one sparse product and a rank-one correction."""

    def apply(v: np.ndarray) -> np.ndarray:
        return problem.weights @ v / problem.p - v.sum(axis=0)

    shape = (problem.d, problem.d)
    return LinearOperator(shape, matvec=apply, rmatvec=apply, matmat=apply, dtype=float)


def mask_error(problem: Completion) -> tuple[float, np.ndarray]:
    r"""Operator norm of E, and a unit vector in which it is attained.

    Dense eigenvalues up to d = 200, Lanczos above. The norm over d, times mu^2, is the epsilon of
    the lecture's proof: see :func:`epsilon`.
    """
    if problem.d <= 200:
        values, vectors = np.linalg.eigh(problem.weights.toarray() / problem.p - 1.0)
        top = int(np.argmax(np.abs(values)))
        return float(abs(values[top])), vectors[:, top]
    v0 = np.random.default_rng(0).standard_normal(problem.d)
    value, vector = eigsh(error_operator(problem), k=1, which="LM", v0=v0)
    return float(abs(value[0])), vector[:, 0]


def epsilon(problem: Completion) -> float:
    r""":math:`\varepsilon = \mu^2\|E\|/d`, with mu the incoherence of z."""
    return incoherence(problem.z) ** 2 * mask_error(problem)[0] / problem.d


def row_error(problem: Completion) -> float:
    r""":math:`\rho = \|E(z\circ z)\|_\infty`: how far the worst row is from seeing its share."""
    z2 = problem.z * problem.z
    return float(np.max(np.abs(problem.weights @ z2 / problem.p - z2.sum())))


def transfer_bounds(
    problem: Completion, x: np.ndarray, v: np.ndarray, norm: float
) -> tuple[float, float]:
    r"""What :math:`\|E\|` allows f/p and g to differ by, in the two forms that the proof uses.

    .. math:: 2\|E\|\,(\|v\circ z\|\|x\circ z\| + \|v\circ x\|\|x\circ x\|)
        \quad\text{and}\quad
        \|E\|\,(2\|v\circ v\|\|x\circ x\| + 4\|v\circ x\|^2 + 2\|v\circ z\|^2)

    for :math:`\langle v,\nabla\cdot\rangle` and :math:`\langle v,\nabla^2\cdot\,v\rangle`; ``norm``
    is :math:`\|E\|`. No probability is left in it: it holds for every mask, x and v.
    """
    size, z = np.linalg.norm, problem.z
    first = 2 * norm * (size(v * z) * size(x * z) + size(v * x) * size(x * x))
    second = norm * (2 * size(v * v) * size(x * x) + 4 * size(v * x) ** 2 + 2 * size(v * z) ** 2)
    return float(first), float(second)


def bernstein_norm(d: int, p: float, delta: float) -> float:
    r"""A bound on :math:`\|E\|` that a symmetric random mask keeps with probability 1 - delta.

    .. math:: \sqrt{2\ell\,d(1-p)/p} + \tfrac{2\ell}{3p}, \qquad \ell = \log(2d/\delta)

    Source: matrix Bernstein inequality, Tropp (2012).
    """
    if not 0 < p <= 1:
        raise ValueError(f"p: {p}; expected a probability in (0, 1]")
    if not 0 < delta < 1:
        raise ValueError(f"delta: {delta}; expected a probability in (0, 1)")
    scale = np.log(2 * d / delta)
    return float(np.sqrt(2 * scale * d * (1 - p) / p) + 2 * scale / (3 * p))


def distance(problem: Completion, x: np.ndarray, *, blocks: int | None = None) -> np.ndarray:
    r""":math:`\min(\|x-z\|, \|x+z\|)` for one point or for each column of a batch.

    With ``blocks`` it is taken for each of that many instances that stand side by side, and the
    result has shape (blocks, k). Raises ``ValueError`` if d is no multiple of ``blocks``.
    """
    if blocks is None:
        z = problem.z.reshape(problem.d, *[1] * (x.ndim - 1))
        return np.minimum(np.linalg.norm(x - z, axis=0), np.linalg.norm(x + z, axis=0))
    if problem.d % blocks:
        raise ValueError(f"blocks: {blocks}; expected a divisor of d = {problem.d}")
    points, z = x.reshape(blocks, problem.d // blocks, -1), problem.z.reshape(blocks, -1, 1)
    return np.minimum(np.linalg.norm(points - z, axis=1), np.linalg.norm(points + z, axis=1))


def side_by_side(problems: Sequence[Completion]) -> Completion:
    r"""Instances of equal d and p as one with a block-diagonal mask; f is the sum of theirs.

    One gradient moves a batch of starts on all of them. Raises ``ValueError`` if d or p differ.
    """
    shapes = {(problem.d, problem.p) for problem in problems}
    if len(shapes) != 1:
        raise ValueError(f"problems: (d, p) are {sorted(shapes)}; expected one pair for all")
    z = np.concatenate([problem.z for problem in problems])
    mask = _block_diagonal([problem.mask for problem in problems])
    if all(problem.noise is None for problem in problems):
        return Completion(z, mask, problems[0].p)
    silence = sparse.csr_array(problems[0].mask.shape)
    noise = _block_diagonal([silence if p.noise is None else p.noise for p in problems])
    return Completion(z, mask, problems[0].p, noise)


def _block_diagonal(blocks: Sequence[sparse.csr_array]) -> sparse.csr_array:
    return sparse.csr_array(sparse.block_diag(blocks, format="csr"))


def determines_signs(mask: sparse.csr_array) -> bool:
    """Whether the graph of the observed pairs is connected and not bipartite.

    That is so exactly if its bipartite double cover is connected. If not, and z has no zero entry,
    f has global minima other than z and -z.
    """
    graph = sparse.csr_array(mask + mask.T)
    graph.eliminate_zeros()
    cover = sparse.block_array([[None, graph], [graph, None]])
    return sparse.csgraph.connected_components(cover, directed=False)[0] == 1


def penalty_gradient(x: np.ndarray, level: float, weight: float) -> np.ndarray:
    r"""Gradient of :math:`\lambda\sum_i (|x_i|-\alpha)_+^4`, the penalty on large entries.

    ``level`` is alpha, ``weight`` is lambda. Source: Ge, Lee & Ma (2016).
    """
    return 4.0 * weight * np.sign(x) * np.maximum(np.abs(x) - level, 0.0) ** 3


def factor_gradient(problem: Completion, u: np.ndarray) -> np.ndarray:
    r"""Gradient of :math:`\tfrac12\|P_\Omega(M-UU^\top)\|_F^2` at U of shape (d, r).

    :math:`-2\,\bar P(M-UU^\top)\,U`: the entries of :math:`UU^\top` are taken on the mask only.
    """
    product = _entries(u, u, *problem.pairs)
    residual = problem.observed.data - problem.weights.data * product
    return -2.0 * (problem._like_weights(residual) @ u)


def factor_distance(truth: np.ndarray, u: np.ndarray) -> float:
    r""":math:`\min_Q \|U - ZQ\|_F` over orthogonal Q (Procrustes); shapes (d, r)."""
    left, _, right = np.linalg.svd(truth.T @ u)
    return float(np.linalg.norm(u - truth @ (left @ right)))


def _entries(
    left: np.ndarray, right: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    total = np.zeros(rows.size)
    for a, b in zip(left.T, right.T, strict=True):
        total += a[rows] * b[columns]
    return total
