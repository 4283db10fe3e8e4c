"""Networks of three kinds for the tests of paths, each with its list of edges and weights."""

import numpy as np

from lecture_code.nets import Dag, Layered


def random_graph(rng, units=11, inputs=3, outs=2):
    """A graph in which every unit lies on a path from an input to an output."""
    last = units - outs
    edges = [
        (u, v)
        for v in range(inputs, units)
        for u in range(min(v, last))
        if u in (v - inputs, v - outs) or rng.random() < 0.3
    ]
    return Dag(inputs, tuple(edges), tuple(range(last, units)))


def networks_for(seed):
    rng = np.random.default_rng(seed)
    plain, biased, graph = (
        Layered((3, 4, 2, 2)),
        Layered((2, 3, 4, 1), bias=True),
        random_graph(rng),
    )
    for net in (plain, biased, graph):
        yield net, net if net is graph else net.dag(), rng.normal(size=net.size)
