"""What the conformance suite asks of every learner, for those that it cannot build."""

import pytest
import torch

from mlcourse.learner import batch_loss


def check_like_every_learner(learner, batch):
    """A loop equals vmap and the engine that a batch goes through, every parameter gets a gradient, predict is pure, one
    query alone is predicted as in a batch, and the loss refuses to run without gradients. learner, batch: in float64."""
    loop = torch.stack([learner.loss(batch.task(i)) for i in range(batch.tasks)])
    for together in (learner.losses(batch), torch.vmap(learner.loss)(batch)):
        torch.testing.assert_close(together, loop, rtol=0, atol=1e-11)
    batch_loss(learner, batch).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 1e-8 for p in learner.parameters())
    episode = batch.task(0)
    state = learner.adapt(episode)
    together = learner.predict(state, episode.query_x)
    assert torch.equal(together, learner.predict(state, episode.query_x)) and not learner.is_transductive
    torch.testing.assert_close(together, torch.cat([learner.predict(state, x[None]) for x in episode.query_x]))
    with torch.no_grad(), pytest.raises(RuntimeError, match="leave torch.no_grad"):
        learner.loss(episode)
