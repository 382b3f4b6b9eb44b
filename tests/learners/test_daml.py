"""The translator and DAML: each term moves its own network, labels are kept, nothing of the target's test half is seen,
and the joint loss against a slow loop."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from mlcourse.episode.across import DomainSampler, halves
from mlcourse.learners import DAML, MetaSGD, TranslationSampler, Translator, translator
from mlcourse.learners.daml import by_generator, ramp, with_redrawn
from mlcourse.learners.translator import CONTENT, DECAY, LABEL, SEEK
from mlcourse.losses.gan import content, hinge_discriminator, mode_seeking, shift_and_cut
from mlcourse.nets import Conv4
from mlcourse.nets.gan import NOISE, Discriminator, Redrawing
from mlcourse.train import Interrupted, outer_step, step_generator, train
from tiny import SIDE, patterns

SOURCE = TARGET = patterns(0, 3)
SEVERAL = [patterns(seed, 3) for seed in (0, 1)]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def net(seed=0, norm="layer"):
    return Conv4(3, 6, "max", norm, SIDE, seed)


def sampler(batch=8):
    return TranslationSampler(SOURCE.images, SOURCE.labels, 255 - TARGET.images, batch)


def a_batch(seed=0):
    return sampler().sample(torch.Generator().manual_seed(seed))


def trained(steps=25, seed=0, batch=8, **settings):
    learner = Translator(net(), SIDE, **settings)
    train(learner, learner.phases(sampler(batch), steps), seed=seed, progress=False)
    return learner


def moving(learner, seed=0):
    """The same with a generator that draws something."""
    with torch.no_grad():
        for g in (learner.generator, learner.averaged):
            g.out.weight.copy_(0.3 * torch.randn(g.out.weight.shape, generator=torch.Generator().manual_seed(seed)))
    return learner


def gradients(loss, learner):
    """The part of the learner → whether any of its weights has a gradient."""
    found = torch.autograd.grad(loss, [p for p in learner.parameters() if p.requires_grad], allow_unused=True)
    parts = [name.split(".")[0] for name, p in learner.named_parameters() if p.requires_grad]
    return {part for part, g in zip(parts, found, strict=True) if g is not None and float(g.abs().max()) > 0}


def test_each_term_moves_its_own_network_alone():
    learner, batch = moving(Translator(net(), SIDE)), a_batch()
    drawn = learner.both(batch)
    assert gradients(learner.discriminator_loss(batch, drawn), learner) == {"discriminator"}
    assert gradients(learner.generator_loss(batch, learner.both(batch)), learner) == {"generator"}
    assert gradients(learner.classifier_loss(batch, learner.both(batch)), learner) == {"net"}


def test_the_terms_against_the_formulas():
    learner, batch = moving(Translator(net(), SIDE)), a_batch()
    d, f = learner.discriminator, learner.net
    first, second = learner.generator(batch.x, batch.z1), learner.generator(batch.x, batch.z2)
    drawn = torch.cat([first, second])
    seen = shift_and_cut(drawn, batch.u_fake)
    says = hinge_discriminator(d(shift_and_cut(batch.target, batch.u_real)), d(seen))
    torch.testing.assert_close(learner.discriminator_loss(batch, drawn), says)
    y = torch.cat([batch.y, batch.y])
    apart = lambda h, g: (h.mean(0) - g.mean(0)).pow(2).sum().sqrt()
    real = d.features(shift_and_cut(batch.target, batch.u_real))
    matching = sum(apart(real[i], d.features(seen)[i]) for i in range(3))
    want = (-d(seen).mean() + matching + LABEL * F.cross_entropy(f(drawn), y) + CONTENT * content(drawn, torch.cat([batch.x] * 2))
            - SEEK * mode_seeking(first, second, batch.z1, batch.z2))
    torch.testing.assert_close(learner.generator_loss(batch, drawn), want)
    torch.testing.assert_close(learner.classifier_loss(batch, drawn),
                               F.cross_entropy(f(batch.x), batch.y) + F.cross_entropy(f(drawn), y))


def test_the_batch_holds_two_drawings_of_each_picture_and_target_pictures_without_labels():
    batch = a_batch()
    assert batch.x.shape == (4, 1, SIDE, SIDE) and batch.target.shape == (8, 1, SIDE, SIDE)
    theirs = (255 - TARGET.images).float() / 255
    assert all(any(torch.equal(t, known) for known in theirs) for t in batch.target)      # all that D ever sees
    for x, y in zip(batch.x, batch.y, strict=True):
        assert any(torch.equal(x, known.float() / 255) for known in SOURCE.images[SOURCE.labels == y])
    assert all(torch.equal(a, b) for a, b in zip(batch, a_batch(), strict=True))
    with pytest.raises(ValueError, match="even number of at least 2, two drawings of each picture, got 7"):
        sampler(7)


def test_phase_one_lies_where_its_pictures_and_networks_lie():
    """On torch's "meta" device, which computes shapes alone and refuses what lies elsewhere."""
    learner = Translator(net(), SIDE).to("meta")
    samples = TranslationSampler(*(t.to("meta") for t in (SOURCE.images, SOURCE.labels, TARGET.images)), 8)
    batch = samples.sample(generator())
    loss = learner.phases(samples, 1)[0].loss(batch, 0)
    loss.backward()
    drawn = by_generator(learner)(batch.x, generator())
    assert {t.device.type for t in (*batch, loss, drawn, *(p.grad for p in learner.generator.parameters()))} == {"meta"}
    assert drawn.shape == batch.x.shape and learner.accepted(drawn, batch.y).shape == batch.y.shape


@pytest.fixture(scope="module")
def converged():
    """A translator of few filters, at high rates trained until its generator draws something else than asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translator, "Redrawing", partial(Redrawing, (8, 8, 8)))
        patch.setattr(translator, "Discriminator", lambda side, seed: Discriminator(side, (8, 16, 16), seed))
        patch.setattr(translator, "RATES", {"discriminator": 1e-3, "generator": 2e-3, "net": 3e-3})
        return trained(120, batch=16)


def test_the_label_is_that_of_the_source_picture(converged):
    """A generator that draws something else than asked is corrected by f: after training it agrees with the label."""
    x, y = SOURCE.images.float() / 255, SOURCE.labels
    drawn = converged.translated(x, torch.randn(len(x), NOISE, generator=generator(1)))
    assert float((drawn - x).abs().mean()) > 0.05
    assert float(converged.accepted(drawn, y).float().mean()) > 0.9
    assert float(converged.accepted(drawn, (y + 1) % 3).float().mean()) < 0.1


def test_the_average_follows_the_generator_and_the_frozen_classifier_stays():
    learner = Translator(net(), SIDE, frozen=True)
    before, f = [p.clone() for p in learner.averaged.parameters()], [p.clone() for p in learner.net.parameters()]
    phase = learner.phases(sampler(), 2)[0]
    outer_step(phase, 0, step_generator(0, 0, 0))
    for slow, was, fast in zip(learner.averaged.parameters(), before, learner.generator.parameters(), strict=True):
        torch.testing.assert_close(slow, DECAY * was + (1 - DECAY) * fast)
    assert all(torch.equal(p, was) for p, was in zip(learner.net.parameters(), f, strict=True))


def test_training_is_seeded_and_resumes_where_it_stopped(tmp_path):
    path, first, count = tmp_path / "gan.safetensors", Translator(net(), SIDE), 0

    def stop(record):
        nonlocal count
        count += 1
        if count == 5:
            raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        train(first, first.phases(sampler(), 10), path=path, save_every=4, progress=False, on_step=stop)
    again = Translator(net(), SIDE)
    train(again, again.phases(sampler(), 10), path=path, progress=False)
    whole = trained(10)
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), whole.state_dict().values(), strict=True))


def test_noise_makes_a_difference_after_training(converged):
    x = SOURCE.images[:12].float() / 255
    one, other = (converged.translated(x, torch.randn(12, NOISE, generator=generator(seed))) for seed in (1, 2))
    assert float((one - other).abs().mean()) > 1e-3


# ------------------------------------------------------------ phase 2


def episodes(tasks=2, dtype=torch.float64):
    batch = DomainSampler(SEVERAL, 2, 3).sample(tasks, torch.Generator().manual_seed(0))
    return with_redrawn(batch, lambda x, generator: 1 - x, torch.Generator()).to(dtype)


@pytest.mark.parametrize("norm", ["layer", "batch"])
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_joint_loss_against_a_slow_loop(weight, norm):
    """In the fast engine and under vmap."""
    learner, batch = DAML(net(norm=norm), weight=0.5).double(), episodes()
    slow = []
    for task in range(2):
        e = batch.task(task)
        theta = dict(learner.net.named_parameters())
        inner = F.cross_entropy(torch.func.functional_call(learner.net, theta, (e.support_x,)), e.support_y)
        steps = torch.autograd.grad(inner, list(theta.values()), create_graph=True)
        phi = {name: p - learner.rates()[name] * g for (name, p), g in zip(theta.items(), steps, strict=True)}
        ask = lambda x, phi=phi, e=e: F.cross_entropy(torch.func.functional_call(learner.net, phi, (x,)), e.query_y)
        slow.append((1 - weight) * ask(e.query_x) + weight * ask(e.unlabeled_x))
    parameters = list(learner.parameters())
    theirs = torch.autograd.grad(torch.stack(slow).mean(), parameters)
    assert learner.engine == "stacked"
    for fast in (torch.vmap(lambda e: learner.loss(e, weight))(batch), learner.loss(batch, weight)):
        torch.testing.assert_close(fast, torch.stack(slow))
        for ours, slowly in zip(torch.autograd.grad(fast.mean(), parameters), theirs, strict=True):
            torch.testing.assert_close(ours, slowly, rtol=1e-7, atol=1e-11)


def test_with_no_generated_pictures_it_is_meta_sgd():
    learner, batch = DAML(net(), weight=0.0).double(), episodes()
    plain = MetaSGD(net(), 0.005, 0.02).double()
    torch.testing.assert_close(learner.loss(batch.task(0)), plain.loss(batch.task(0)))


def test_redrawn_queries_keep_their_order_and_come_from_another_source():
    sources = DomainSampler(SEVERAL, 2, 3)
    batch = with_redrawn(sources.sample(8, torch.Generator().manual_seed(0)), lambda x, generator: 1 - x, None)
    torch.testing.assert_close(batch.unlabeled_x, 1 - batch.query_x)
    for task in range(8):
        e = batch.task(task)
        support = SEVERAL[1 - int(e.domain)].images.float() / 255
        assert all(any(torch.allclose(x, known) for known in support) for x in e.support_x)      # i ≠ j


def test_lambda_rises_to_a_half_and_stays():
    assert [ramp(s) for s in (0.0, 0.25, 0.5, 0.9)] == [0.0, 0.25, 0.5, 0.5] and ramp(0.9, 0.0) == 0.0


def test_the_phases_run_one_after_another_and_leave_the_generator_alone_in_phase_two():
    torch_net = net()
    learner = DAML(torch_net, Translator(torch_net, SIDE))
    phases = learner.phases(DomainSampler(SEVERAL, 2, 3), 3, tasks=2, translation=sampler(), generator_steps=4)
    assert [phase.name for phase in phases] == ["generator", "joint"]
    records = train(learner, phases[:1], progress=False)
    kept = {name: t.clone() for name, t in learner.translator.averaged.state_dict().items()}
    records += train(learner, phases[1:], progress=False)
    assert len(records) == 7
    assert all(torch.equal(t, kept[name]) for name, t in learner.translator.averaged.state_dict().items())
    with pytest.raises(ValueError, match="for phase 2 alone call `joint`"):
        learner.phases(DomainSampler(SEVERAL, 2, 3), 3)


def test_phase_two_draws_new_noise_and_repeats():
    learner = DAML(net(), moving(Translator(net(), SIDE)))
    phase = learner.joint(DomainSampler(SEVERAL, 2, 3), 3, by_generator(learner.translator), tasks=2)
    one, again, other = (phase.sample(torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    assert torch.equal(one.unlabeled_x, again.unlabeled_x) and not torch.equal(one.unlabeled_x, other.unlabeled_x)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"weight of the generated pictures must lie in \[0, 1\], got 1.5"):
        DAML(net(), weight=1.5)
    short = episodes()._replace(unlabeled_x=episodes().unlabeled_x[:, :2])
    with pytest.raises(ValueError, match="expects every query redrawn, in unlabeled_x, but there are 9 queries and 2"):
        DAML(net()).double().loss(short.task(0))


# ------------------------------------------------------------ what the discriminator may see


def test_the_discriminator_sees_no_test_picture_and_a_planted_leak_is_caught():
    from mlcourse.learners.translator import check_unseen
    train_half, test_half = halves(patterns(3, 4, 20))
    check_unseen(train_half.images, test_half.images)
    leak = torch.cat([train_half.images, test_half.images[:2]])
    with pytest.raises(ValueError, match="2 of the 42 pictures .* are test pictures"):
        check_unseen(leak, test_half.images)
