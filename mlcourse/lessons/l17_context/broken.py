"""The broken code of lesson 17, which an exercise has mended."""

READ_BROKEN = '''\
def look_back_broken(q, k, v):
    """It runs. One bug."""
    scores = q @ k.mT / q.shape[-1] ** 0.5
    allowed = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    scores = scores * allowed
    return scores.softmax(-1) @ v'''
