"""What an exercise of lesson 11 shows as broken."""

MASKED_BROKEN = '''\
def masked_broken(z, y, u, share, m):
    """It runs. Two bugs."""
    counts = share * m
    means = []
    for n in range(share.shape[1]):
        own = z[y == n]
        above = own.sum(0) + (counts[:, n] * m[:, n]) @ u
        below = len(own) + share[:, n].sum()
        means.append(above / below)
    return torch.stack(means)'''
