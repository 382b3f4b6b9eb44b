"""Four functions that somebody called FOMAML, as exercise 04.2 shows them."""

WAYS = '''\
grad, leaves = torch.autograd.grad, lambda params: list(params.values())
step = lambda params, g: {name: p - 0.01 * d for (name, p), d in zip(params.items(), g)}
fresh = lambda params: {name: p.detach().requires_grad_() for name, p in params.items()}

def a(theta, support_loss, query_loss):
    g = grad(support_loss(theta), leaves(theta))
    return grad(query_loss(step(theta, g)), leaves(theta))

def b(theta, support_loss, query_loss):
    g = grad(support_loss(theta), leaves(theta), create_graph=True)
    return grad(query_loss(step(theta, g)), leaves(theta))

def c(theta, support_loss, query_loss):
    g = grad(support_loss(theta), leaves(theta), create_graph=True)
    return grad(query_loss(step(fresh(theta), g)), leaves(theta))

def d(theta, support_loss, query_loss):
    g = grad(support_loss(theta), leaves(theta), create_graph=True)
    phi = fresh(step(theta, g))
    return grad(query_loss(phi), leaves(phi))'''
