"""Products merged among recorded operators: the same numbers, fewer products, each where it may be merged."""

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.testing import assert_close

from mlcourse.products import merge_products

T, N, K, M = 5, 4, 3, 6


def drawn(*shapes):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def products(function, *inputs):
    """The products that are left of a function, after a look at what it computes: names of operators."""
    graph = make_fx(function, tracing_mode="fake")(*inputs)
    merge_products(graph.graph)
    graph.graph.lint()
    graph.recompile()
    assert_close(graph(*inputs), function(*inputs), rtol=1e-12, atol=1e-12)
    calls = [node.target.__name__.partition(".")[0] for node in graph.graph.nodes if node.op == "call_function"]
    return [name for name in calls if name in ("mm", "bmm", "baddbmm", "mul")]


def test_one_weight_for_all_tasks_is_one_product():
    x, w, b = drawn((T, N, K), (M, K), (M,))
    assert products(lambda x, w: torch.bmm(x, w.expand(T, M, K).transpose(1, 2)), x, w) == ["mm"]
    assert products(lambda x, w: torch.bmm(x, w.t().expand(T, K, M)), x, w) == ["mm"]
    assert products(lambda x, w, b: torch.baddbmm(b.expand(T, M)[:, None], x, w.expand(T, M, K).mT), x, w, b) == ["mm"]
    assert products(lambda x, w: torch.bmm(x[:, ::2], w.expand(T, M, K).mT), x, w) == ["mm"]


def test_a_sum_over_tasks_of_products_is_one_product():
    a, b, c = drawn((T, N, K), (T, N, M), (T, K, M))
    summed = lambda a, b: torch.bmm(a.mT, b).sum(0)
    assert products(summed, a, b) == ["mm"]
    assert products(lambda a, b: torch.bmm(a.mT, b).sum(0, keepdim=True), a, b) == ["mm"]
    assert products(lambda a, b: torch.bmm(a.mT, b).mT.sum(0), a, b) == ["mm"]
    assert products(lambda a, b, c: (torch.bmm(a.mT, b) + c).sum(0), a, b, c) == ["mm"]
    assert products(lambda a, c: torch.bmm(a, c).sum(0), a, c) == ["mm"], "neither factor is written transposed"
    assert products(lambda a, b: (torch.bmm(a.mT, b) + torch.bmm(a.mT, b).cos()).sum(0), a, b) == ["bmm", "mm"]


def test_a_side_of_one_is_an_elementwise_product():
    for n, k, m in ((N, 1, M), (N, K, 1), (1, K, M), (1, 1, 1)):
        a, b, bias = drawn((T, n, k), (T, k, m), (T, 1, m))
        assert products(torch.bmm, a, b) == ["mul"]
        assert products(torch.baddbmm, bias, a, b) == ["mul"]
        assert products(lambda bias, a, b: torch.baddbmm(bias, a, b).sum(0), bias, a, b) == ["mul"]


@pytest.mark.parametrize("function", [
    lambda a, b, c: torch.bmm(a.mT, b),
    lambda a, b, c: torch.bmm(a.mT, b).sum(1),
    lambda a, b, c: torch.bmm(a.mT, b).transpose(0, 1).sum(0),
    lambda a, b, c: torch.baddbmm(c, a.mT, b, beta=2.0),
    lambda a, b, c: torch.bmm(a.mT, b).sum((0, 1)),
])
def test_what_needs_a_product_for_each_task_keeps_it(function):
    assert products(function, *drawn((T, N, K), (T, N, M), (T, K, M))) in (["bmm"], ["baddbmm"])


def test_shapes_that_broadcast_are_added_before_they_are_summed():
    a, b, c = drawn((T, N, K), (T, N, M), (K, M))
    assert products(lambda a, b, c: (torch.bmm(a.mT, b) + c).sum(0), a, b, c) == ["bmm"]


def test_of_two_small_sides_the_wide_one_comes_last():
    a, b = drawn((T, M, K), (T, K, N))
    graph = make_fx(torch.bmm, tracing_mode="fake")(a, b)
    merge_products(graph.graph)
    [product] = [node for node in graph.graph.nodes if node.target is torch.ops.aten.bmm.default]
    assert product.meta["val"].shape == (T, N, M)
