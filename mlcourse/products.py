"""Fewer and larger products among the recorded operators of a meta-step.

All tasks start at one θ, and a meta-gradient is a sum over tasks, but the stacked engine and autograd write both as
batches of small products, one X_t (n, k) for each task t. `merge_products` replaces

    X_t W of one W for all t      by the rows of all X_t, one under another, times W
    Σ_t A_tᵀ B_t                  by AᵀB, of the rows of all tasks
    products with a side of 1     by an elementwise one, which torch.compile fuses with its neighbours
    Σ_t (A_t + B_t)               by Σ_t A_t + Σ_t B_t, so that products beneath a sum are found
"""

from __future__ import annotations

import torch
from torch.fx import Graph, Node

aten = torch.ops.aten
ADD, BADDBMM, BMM, SUM = aten.add.Tensor, aten.baddbmm.default, aten.bmm.default, aten.sum.dim_IntList
EXPAND, RESHAPE, TRANSPOSE = aten.expand.default, aten.reshape.default, aten.transpose.int


def merge_products(graph: Graph) -> None:
    """Rewrite a graph of aten operators that change no tensor in place, whose nodes have their example as
    meta["val"], as `make_fx` leaves them. What it computes differs by the order of sums alone."""
    for node in list(graph.nodes):
        with graph.inserting_before(node):
            new = _replacement(graph, node)
        if new is not None:
            new.meta["val"] = node.meta["val"]
            node.replace_all_uses_with(new)
    graph.eliminate_dead_code()


def _replacement(graph: Graph, node: Node) -> Node | None:
    if node.kwargs:
        return None
    if _sums_tasks(node):
        total = _summed(graph, node.args[0])
        return graph.call_function(RESHAPE, (total, list(_shape(node))))
    if node.target is BMM:
        return _product(graph, node, *node.args)
    if node.target is BADDBMM:
        product = _product(graph, node, *node.args[1:])
        if product is not None:
            product.meta["val"] = node.meta["val"]
            return graph.call_function(ADD, (node.args[0], product))
    return None


def _product(graph: Graph, node: Node, a: Node, b: Node) -> Node | None:
    """a (T, n, k) times b (T, k, m) without a product for each task; None where it needs one."""
    call = graph.call_function
    (tasks, n, k), m = _shape(a), _shape(b)[2]
    if k == 1:
        return call(aten.mul.Tensor, (a, b))
    if m == 1:
        return call(SUM, (call(aten.mul.Tensor, (a, call(TRANSPOSE, (b, 1, 2)))), [2], True))
    if n == 1:
        return call(SUM, (call(aten.mul.Tensor, (call(TRANSPOSE, (a, 1, 2)), b)), [1], True))
    shared = _shared(graph, b)
    if shared is None:
        return None
    return call(RESHAPE, (call(aten.mm.default, (call(RESHAPE, (a, [tasks * n, k])), shared)), [tasks, n, m]))


def _summed(graph: Graph, x: Node) -> Node:
    """x (T, …) summed over its first axis."""
    call = graph.call_function
    is_part = lambda part: isinstance(part, Node) and _shape(part) == _shape(x)
    if x.target is ADD and not x.kwargs and all(map(is_part, x.args)):
        return call(ADD, tuple(_summed(graph, part) for part in x.args))
    if x.target is TRANSPOSE and 0 not in _axes(x):
        return call(TRANSPOSE, (_summed(graph, x.args[0]), *(axis - 1 for axis in _axes(x))))
    if x.target is BMM and _is_only_summed(x):
        a, b = x.args
        (tasks, n, k), m = _shape(a), _shape(b)[2]
        rows = a.args[0] if _swaps_last(a) else call(TRANSPOSE, (a, 1, 2))
        columns = call(TRANSPOSE, (call(RESHAPE, (rows, [tasks * k, n])), 0, 1))
        return call(aten.mm.default, (columns, call(RESHAPE, (b, [tasks * k, m]))))
    return call(SUM, (x, [0]))


def _sums_tasks(node: Node) -> bool:
    return node.target is SUM and not node.kwargs and node.args[1] == [0]


def _is_only_summed(x: Node) -> bool:
    return all(_sums_tasks(user) or user.target in (ADD, TRANSPOSE) and not user.kwargs and _is_only_summed(user)
               for user in x.users)


def _shared(graph: Graph, x: Node) -> Node | None:
    """W (k, m), where x (T, k, m) is W for every task; else None."""
    if _swaps_last(x):
        w = _shared(graph, x.args[0])
        return None if w is None else graph.call_function(TRANSPOSE, (w, 0, 1))
    is_shared = x.target is EXPAND and _shape(x.args[0]) == _shape(x)[1:]
    return x.args[0] if is_shared else None


def _swaps_last(x: Node) -> bool:
    return x.target is TRANSPOSE and len(_shape(x)) == 3 and _axes(x) == {1, 2}


def _axes(x: Node) -> set[int]:
    return {axis % len(_shape(x)) for axis in x.args[1:]}


def _shape(x: Node) -> torch.Size:
    return x.meta["val"].shape
