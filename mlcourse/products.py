"""Fewer and larger products among the recorded operators of a meta-step.

All tasks start at one θ, and a meta-gradient is a sum over tasks, but the stacked engine and autograd write both as
batches of small products, one X_t (n, k) for each task t. `merge_products` replaces

    X_t W of one W for all t      by the rows of all X_t, one under another, times W
    Σ_t A_tᵀ B_t                  by AᵀB, of the rows of all tasks
    products with a side of 1     by an elementwise one, which torch.compile fuses with its neighbours
    A_t B_t, more high than wide  by (B_tᵀ A_tᵀ)ᵀ: on small matrices BLAS is several times faster
    Σ_t (A_t + B_t)               by Σ_t A_t + Σ_t B_t, so that products beneath a sum are found
"""

from __future__ import annotations

from functools import partial

import torch
from torch.fx import Graph, Node
from torch.fx.node import map_arg

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
            node.replace_all_uses_with(new)
    graph.eliminate_dead_code()


def _replacement(graph: Graph, node: Node) -> Node | None:
    if node.kwargs:
        return None
    if node.target is aten.view.default:                # the strides that it relies on may change
        return _call(graph, RESHAPE, *node.args)
    if _sums_tasks(node):
        total = _summed(graph, node.args[0])
        return _call(graph, RESHAPE, total, list(_shape(node)))
    if node.target is BMM:
        return _product(graph, node, *node.args)
    if node.target is BADDBMM:
        product = _product(graph, node, *node.args[1:])
        return None if product is None else _call(graph, ADD, node.args[0], product)
    return None


def _call(graph: Graph, operator, *args) -> Node:
    node = graph.call_function(operator, args)
    node.meta["val"] = operator(*map_arg(args, lambda each: each.meta["val"]))
    return node


def _product(graph: Graph, node: Node, a: Node, b: Node) -> Node | None:
    """a (T, n, k) times b (T, k, m) without a product for each task, or with wide ones; None where it stays."""
    call = partial(_call, graph)
    (tasks, n, k), m = _shape(a), _shape(b)[2]
    if k == 1:
        return call(aten.mul.Tensor, a, b)
    if m == 1:
        return call(SUM, call(aten.mul.Tensor, a, call(TRANSPOSE, b, 1, 2)), [2], True)
    if n == 1:
        return call(SUM, call(aten.mul.Tensor, call(TRANSPOSE, a, 1, 2), b), [1], True)
    shared = _shared(graph, b)
    if shared is not None:
        return call(RESHAPE, call(aten.mm.default, call(RESHAPE, a, [tasks * n, k]), shared), [tasks, n, m])
    if m < n:
        return call(TRANSPOSE, call(BMM, call(TRANSPOSE, b, 1, 2), call(TRANSPOSE, a, 1, 2)), 1, 2)
    return None


def _summed(graph: Graph, x: Node) -> Node:
    """x (T, …) summed over its first axis."""
    call = partial(_call, graph)
    is_part = lambda part: isinstance(part, Node) and _shape(part) == _shape(x)
    if x.target is ADD and not x.kwargs and all(map(is_part, x.args)):
        return call(ADD, *(_summed(graph, part) for part in x.args))
    if x.target is TRANSPOSE and 0 not in _axes(x):
        return call(TRANSPOSE, _summed(graph, x.args[0]), *(axis - 1 for axis in _axes(x)))
    if x.target is BMM and _is_only_summed(x):
        a, b = x.args
        (tasks, n, k), m = _shape(a), _shape(b)[2]
        rows = a.args[0] if _swaps_last(a) else call(TRANSPOSE, a, 1, 2)
        columns = call(TRANSPOSE, call(RESHAPE, rows, [tasks * k, n]), 0, 1)
        return call(aten.mm.default, columns, call(RESHAPE, b, [tasks * k, m]))
    return call(SUM, x, [0])


def _sums_tasks(node: Node) -> bool:
    return node.target is SUM and not node.kwargs and node.args[1] == [0]


def _is_only_summed(x: Node) -> bool:
    return all(_sums_tasks(user) or user.target in (ADD, TRANSPOSE) and not user.kwargs and _is_only_summed(user)
               for user in x.users)


def _shared(graph: Graph, x: Node) -> Node | None:
    """W (k, m), where x (T, k, m) is W for every task; else None."""
    if _swaps_last(x):
        w = _shared(graph, x.args[0])
        return None if w is None else _call(graph, TRANSPOSE, w, 0, 1)
    is_shared = x.target is EXPAND and _shape(x.args[0]) == _shape(x)[1:]
    return x.args[0] if is_shared else None


def _swaps_last(x: Node) -> bool:
    return x.target is TRANSPOSE and len(_shape(x)) == 3 and _axes(x) == {1, 2}


def _axes(x: Node) -> set[int]:
    return {axis % len(_shape(x)) for axis in x.args[1:]}


def _shape(x: Node) -> torch.Size:
    return x.meta["val"].shape
