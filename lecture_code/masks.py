r"""Masks: which entries of a matrix are seen, as sparse matrices of weights.

Source: lecture 11, section 11.1; Ge, Lee & Ma (2016).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from lecture_code.checks import same_shape, takes


def as_mask(mask: sparse.csr_array) -> sparse.csr_array:
    """The mask in floats; ``ValueError`` unless its weights are finite and none is negative."""
    floats = sparse.csr_array(mask, dtype=float)
    if not (np.isfinite(floats.data).all() and np.min(floats.data, initial=0.0) >= 0):
        raise ValueError(f"mask: {floats.data}; expected finite weights, none of them negative")
    return floats


@takes()
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
    if symmetric:
        # cell c(c+1)/2 + r is the pair r <= c; its root is exact at r = 0, for d up to 10^7
        columns = ((np.sqrt(8 * chosen + 1) - 1) / 2).astype(np.int64)
        rows = chosen - columns * (columns + 1) // 2
        off = rows != columns
        rows, columns = np.r_[rows, columns[off]], np.r_[columns, rows[off]]
    else:
        rows, columns = np.divmod(chosen, d)
    return sparse.csr_array((np.ones(rows.size), (rows, columns)), shape=(d, d))


@takes(matrix="d d")
def project(matrix: np.ndarray, mask: sparse.csr_array) -> np.ndarray:
    r""":math:`P_\Omega(A)`: the matrix with zeros outside the mask (Definition 11.1)."""
    mask = as_mask(mask)
    same_shape(mask=mask, matrix=matrix)
    return mask.toarray() * matrix


def determines_signs(mask: sparse.csr_array) -> bool:
    """Whether the graph of the observed pairs is connected and not bipartite.

    That is so exactly if its bipartite double cover is connected. If not, and z has no zero entry,
    f has global minima other than z and -z.
    """
    mask = as_mask(mask)
    graph = sparse.csr_array(mask + mask.T)
    graph.eliminate_zeros()
    cover = sparse.block_array([[None, graph], [graph, None]])
    return sparse.csgraph.connected_components(cover, directed=False)[0] == 1
