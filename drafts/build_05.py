import json
from pathlib import Path
import nbformat
from mlcourse import notebooks
from mlcourse.exercises import exercise
cells = []
def md(text): cells.append(("markdown", text.strip("\n"), {}))
def code(text, **meta): cells.append(("code", text.strip("\n"), meta))
def ex(id): code(exercise(id).stub, tags=["exercise", f"exercise:{id}"]); code(f'_ = check("{id}", {exercise(id).answer})')

md(r'''
# 05 · Meta-SGD and meta-transfer

**MAML learns where to start and steps with one rate for all weights. Meta-SGD learns a rate for each weight as well, and a third of them end up below zero. In this lesson you find out why, what it buys, and what is left of the gain when the domain changes.**

**Objectives.** At the end you can

1. *show* that one rate for all weights is a compromise, and *name* the tensor that MAML leans on;
2. *write* Meta-SGD's step and *derive* the gradient of a rate, $\partial L/\partial\alpha = -\nabla L(\varphi; Q)\circ\nabla L(\theta; S)$;
3. *spot* four broken updates of the rates by the error that each raises;
4. *explain* a negative rate from two gradients, and *test* the explanation;
5. *measure* a pipeline of three stages by leaving out each stage, with paired intervals over seeds.

| section | minutes |
|---|---|
| 1 Six dials | 9 |
| 2 Meta-SGD on paper, with two exercises | 24 |
| 3 Meta-SGD in three cells | 5 |
| 4 Four broken updates, and first order, with two exercises | 23 |
| 5 Train it, live | 6 |
| 6 Look at the rates | 7 |
| 7 What a negative rate means | 8 |
| 8 Pretrain, Meta-SGD, adapt | 9 |
| 9 Another network, another kind of data | 5 |
| 10 Wrap-up | 2 |

That is 60 minutes of lesson and 38 of exercises.

Builds on [lesson 03](03_maml.ipynb): the inner and the outer loop, the meta-gradient, sinusoid tasks. Symbols are on the [notation page](99_notation.ipynb). Runs on two CPU cores in under a minute.
''')
code(r'''
import math
import torch
from torch.func import grad, vmap
from mlcourse.datasets.sequences import OscillationSampler
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.evaluate import interval, paired_ratio, scores, t_interval
from mlcourse.exercises import check, hint, solution
from mlcourse.learners import MAML, MetaSGD, NearestNeighbour
from mlcourse.nets import MLP, call, params_of
from mlcourse.nets_sequence import Transformer
from mlcourse.paths import RESULTS
from mlcourse.plots import lesson_05 as plots
from mlcourse.plots.static import learning_curve
from mlcourse.rates import agreement_at_theta, signs
from mlcourse.results import read
from mlcourse.widgets import LearnedRates, Predict, RateHistory, outcome, train_live

torch.set_num_threads(2)
''')
md(r'''
## 1 Six dials (9 min)

Here is lesson 03's MAML once more: sinusoids, ten support points, one inner step of $\alpha = 0.01$, 3,000 outer steps.
''')
code(r'''
sampler = SinusoidSampler(shot=10, query=10)
maml = MAML(MLP(seed=0), lr=0.01, steps=1)
_ = train_live(maml, maml.phases(sampler, steps=3000, tasks=25, lr=0.01), "MAML")
''')
md(r'''
The network has six tensors of weights: $W_1, b_1$ (from $x$ to 40 units), $W_2, b_2$ (40 to 40) and $W_3, b_3$ (40 to $y$). MAML steps with the same rate in all of them. Nothing forces *you* to. The cell below takes MAML's θ, computes the support gradient of 300 validation tasks, and makes one step with **a rate of its own for each tensor**.

Edit the six numbers and run the cell again: make the error smaller than with 0.01 everywhere. Which dial matters most?
''')
code(r'''
theta = {name: p.detach() for name, p in maml.theta().items()}
W1, b1, W2, b2, W3, b3 = theta                                   # the six names
tasks = SinusoidSampler(10, 50).sample(300, torch.Generator().manual_seed(1))

def mse(params, x, y):
    return ((call(maml.net, params, x) - y) ** 2).mean()

g = vmap(grad(mse), (None, 0, 0))(theta, tasks.support_x, tasks.support_y)

def error(rates):
    phi = {name: theta[name] - rates[name] * g[name] for name in theta}
    return vmap(mse)(phi, tasks.query_x, tasks.query_y).mean().item()

mine = {W1: 0.01, b1: 0.01, W2: 0.01, b2: 0.01, W3: 0.01, b3: 0.01}       # edit these, and run again
print(f"0.01 everywhere: ≈{error(dict.fromkeys(theta, 0.01)):.3f}     your rates: ≈{error(mine):.3f}")
''')
code(r'''
Predict("05.p1", "Sweep the rate of one tensor from 0.0003 to 0.3, the five others at 0.01. For how many of the six is "
        "the lowest rate of the sweep the best?", ["none", "1 or 2", "3 or 4", "all 6"])
''')
code(r'''
sweep = torch.logspace(-3.5, -0.5, 25).tolist()
at_own = dict.fromkeys(theta, 0.01)
curves = {"all six": [error(dict.fromkeys(theta, r)) for r in sweep]}
for symbol, name in zip(("W₁", "b₁", "W₂", "b₂", "W₃", "b₃"), theta):
    curves[symbol] = [error({**at_own, name: r}) for r in sweep]
plots.rate_sweep(sweep, curves, own=0.01)
''')
code(r'''
without = {symbol: error({**at_own, name: 0.0}) for symbol, name in zip(list(curves)[1:], theta)}
still = [symbol for symbol, losses in list(curves.items())[1:] if min(losses) == losses[0]]
assert {"W₂", "b₂", "b₃"} <= set(still) and without["W₁"] > 3 * max(without[s] for s in without if s != "W₁")
outcome("05.p1", f"for ≈{len(still)} of them, W₂, b₂ and b₃ among them: these had better stand still.")
others = max(without[symbol] for symbol in without if symbol != "W₁")
print(f"Error with one rate set to 0: that of W₁ ≈{without['W₁']:.2f}, that of any other at most ≈{others:.2f}")
''')
md(r'''
The dashed line marks the rate that θ was trained with. Three things stand in this figure:

- **All weights together** are best served by 0.01, the rate that they know. Lesson 03 said it: a starting point belongs to its rate.
- **$W_1$ does the adapting.** Without its step the error is back near that of a network that does not adapt at all (3.01, lesson 03). Its valley is narrow, and at 0.01.
- **Most of the others would rather stand still.** For them the step is a nuisance that θ has learned to live with.

MAML had one number for six tensors and 1,761 weights. It could only choose θ so that one tensor profits from that number and the others suffer little. What if the rates could be chosen too?
''')
md(r'''
## 2 Meta-SGD, on paper (24 min)

Li, Zhou, Chen and Li (2017) make α a vector: one rate for each weight, learned in the outer loop together with θ.

$$\min_{\theta,\,\alpha}\ \frac1T\sum_{i=1}^T L(\varphi_i;\ Q_i),\qquad \varphi_i = \theta - \alpha\circ\nabla L(\theta; S_i)$$

The sign $\circ$ multiplies element by element, so α has the shape of θ. The step $\alpha\circ\nabla L$ need not point along the gradient: the rates set its **length and its direction**. A rate may be **negative**; nothing in the equation forbids it, and no implementation should. As an algorithm, with what is new against MAML marked:

```text
[1]  θ ← random,   α ← small positive numbers                            ← new
[2]  repeat:
[3]      draw a batch of tasks, each with S_i and Q_i
[4]      for every task i:
[5]          φ_i ← θ - α ∘ ∇L(θ; S_i)                                    ← new: ∘
[6]      (θ, α) ← (θ, α) - β ∇_(θ, α) mean_i L(φ_i; Q_i)                 ← new: α
```

It is still SGD in the inner loop, with learned rates; it averages no gradients and has no memory. Twice as many numbers are trained.

### Exercise 05.1 · A step with a rate for each weight (difficulty 2 of 5, 8 min)

Write line [5] so that line [6] can differentiate through it, by θ and by α. `hint("05.1")` helps.
''')
ex("05.1")
md(r'''
### The gradient of a rate

How does the outer loop know which way to turn a rate? The rate $\alpha_j$ of weight $j$ enters $\varphi$ in one place, $\varphi_j = \theta_j - \alpha_j\,g_j$ with $g = \nabla L(\theta; S)$, and $g$ does not depend on α. So

$$\frac{\partial L(\varphi; Q)}{\partial\alpha_j} = \frac{\partial L(\varphi; Q)}{\partial\varphi_j}\cdot(-g_j)\qquad\Longrightarrow\qquad \boxed{\ \frac{\partial L(\varphi; Q)}{\partial\alpha} = -\,\nabla L(\varphi; Q)\circ\nabla L(\theta; S)\ }$$

Read it aloud: **where the support gradient and the query gradient after the step have the same sign, raise the rate; where they have opposite signs, lower it.** There is no Hessian in it.

### Exercise 05.2 · By hand (difficulty 2 of 5, 10 min)

A model with three weights, one support sample, one query sample. No autograd.
''')
ex("05.2")
md(r'''
## 3 Meta-SGD in three cells (5 min)

**First cell: the box on one weight**, with the numbers of lesson 03.
''')
code(r'''
at = dict(dtype=torch.float64, requires_grad=True)
theta_1, alpha_1 = torch.tensor(0.5, **at), torch.tensor(0.1, **at)
(x_s, y_s), (x_q, y_q) = (1.5, 2.0), (-1.0, 0.7)

g_s, = torch.autograd.grad((theta_1 * x_s - y_s) ** 2 / 2, theta_1, create_graph=True)
phi_1 = theta_1 - alpha_1 * g_s                                               # line [5]
by_autograd, = torch.autograd.grad((phi_1 * x_q - y_q) ** 2 / 2, alpha_1)     # line [6], the part of α
by_hand = -((phi_1.item() * x_q - y_q) * x_q) * ((theta_1.item() * x_s - y_s) * x_s)
print(f"autograd {by_autograd.item():.6f}   by hand {by_hand:.6f}")
assert math.isclose(by_autograd.item(), by_hand)
''')
md(r'''
**Second cell: the whole algorithm for one task**, for any network. One word differs from lesson 03's `maml_loss`: `alpha[name]`.
''')
code(r'''
net = MLP(seed=0)
batch = sampler.sample(25, torch.Generator().manual_seed(0))

def meta_sgd_loss(theta, alpha, episode):
    g = grad(lambda p: ((call(net, p, episode.support_x) - episode.support_y) ** 2).mean())(theta)
    phi = {name: theta[name] - alpha[name] * g[name] for name in theta}           # line [5]
    return ((call(net, phi, episode.query_x) - episode.query_y) ** 2).mean()      # the loss of line [6]

start = params_of(net)
alpha = {name: torch.full_like(p, 0.01) for name, p in start.items()}
by_alpha = grad(lambda a: meta_sgd_loss(start, a, batch.task(0)))(alpha)
print({name: tuple(slope.shape) for name, slope in by_alpha.items()})
''')
md(r'''
**Third cell: the course's `MetaSGD`** computes the same, for the whole batch at once. It keeps α in a `ParameterDict`, so that the outer optimiser finds θ and α alike. The rates start uniform in a small positive range: a rate of 1 would make the first steps explode.
''')
code(r'''
meta = MetaSGD(MLP(seed=0), low=0.005, high=0.02, seed=0)
by_hand = vmap(lambda episode: meta_sgd_loss(start, meta.rates(), episode))(batch)
torch.testing.assert_close(meta.losses(batch), by_hand)
count = lambda params: sum(p.numel() for p in params)
print(f"the same 25 losses; weights {count(meta.theta().values())}, rates {count(meta.rates().values())}")
''')
md(r'''
## 4 Four broken updates, and first order (23 min)

All four of these stand in tutorials, in other words. Read them before you run the next cell, and guess what each error will say. `meta` is a module with two parameters, `theta` and `alpha`.
''')
code(exercise("05.3").given)
code(r'''
class Meta(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.theta = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
        self.alpha = torch.nn.Parameter(torch.tensor([0.1, 0.2, 0.3]))

for update in (update_a, update_b, update_c, update_d):
    broken = Meta()
    try:
        update(broken, lambda w: (w.sum() - 1) ** 2, lambda w: (w[0] - w[1]) ** 2, beta=0.01)
    except (RuntimeError, TypeError) as error:
        moved = "" if broken.theta.tolist() == [1.0, -2.0, 0.5] else "    (theta has moved already)"
        print(f"{update.__name__}: {type(error).__name__}: {str(error).splitlines()[0]}{moved}")
''')
md(r'''
### Exercise 05.3 · Spot the bug (difficulty 3 of 5, 12 min)

Write the update that all four wanted to be. Try them as answers too, if you like: `check("05.3", update_a)` names the misconception.
''')
ex("05.3")
md(r'''
### Exercise 05.4 · First order still trains the rates (difficulty 2 of 5, 8 min)

The box of section 2 has no second derivative. So Meta-SGD can drop the Hessian, as first-order MAML does, and lose nothing in the gradient of α; only the gradient of θ becomes an approximation. Write the loss that does that. The trap: what may be detached, and what may not?
''')
ex("05.4")
md(r'''
## 5 Train it, live (6 min)

The same network, the same 3,000 batches of 25 tasks, the same outer rate as MAML above. `RateHistory` keeps a snapshot of θ and α every 100 outer steps, for the next section.
''')
code(r'''
Predict("05.p2", "Five points, one step: how many times smaller will Meta-SGD's error be than MAML's?",
        ["not smaller", "about 1.2 times", "about 2 times", "about 5 times"])
''')
code(r'''
history = RateHistory(meta, sampler)
records = train_live(meta, meta.phases(sampler, steps=3000, tasks=25, lr=0.01), "Meta-SGD", on_step=history)
title = "Meta-SGD's outer loss: the error after one step on ten points"
learning_curve(records, title, ylabel="query loss after one step")
''')
code(r'''
TEST = 2                                                            # the seed of 600 test tasks
five, ten = SinusoidSampler(5, 100), SinusoidSampler(10, 100)
errors = {(name, steps, points.shot): scores(learner, points, 600, seed=TEST, steps=steps)
          for name, learner in (("MAML", maml), ("Meta-SGD", meta)) for points in (five, ten) for steps in (1, 5)}
print("mean squared error, 600 tasks     5 points          10 points")
for name in ("MAML", "Meta-SGD"):
    for steps in (1, 5):
        row = [interval(errors[name, steps, shot]) for shot in (5, 10)]
        values = "".join(f"≈{mean:.2f} ± {half:.2f}       " for mean, half in row)
        print(f"  {name:9s} after {steps} step{'s' if steps > 1 else ' '}        {values}")
ratio, low, high = paired_ratio(errors["MAML", 1, 5], errors["Meta-SGD", 1, 5])
assert low > 1.4 and errors["Meta-SGD", 1, 5].mean() < 1.25 * errors["MAML", 5, 5].mean()
outcome("05.p2", f"its error is ≈{ratio:.1f} times smaller; 95 % interval ≈[{low:.1f}, {high:.1f}] over the 600 tasks.")
''')
md(r'''
With one step Meta-SGD is about where MAML is after five. **Five steps of Meta-SGD** are another matter, and the table shows it: the rates were learned for one step from θ, and nothing made them fit for a second step from φ.

**The published numbers.** Li et al. (2017) report, for models trained on 5 points and tested on 5, 10 and 20: MAML 1.13, 0.85, 0.71 and Meta-SGD 0.90, 0.63, 0.50, so a ratio of 1.3 to 1.4. Their tasks vary the frequency as well, ours do not, and we train on 10 points for 3,000 outer steps at an annealed rate of 0.01. The two tables cannot be compared number by number; both say that the learned rates help. On Omniglot (5-way 1-shot) they report 99.53 ± 0.26 %. Ours reaches 86.0 to 86.3 % on alphabets never seen, after 45 seconds of training (`mlcourse bench omniglot`); that says what 45 seconds buy, and is no replication.

**One network is an anecdote.** The study `mlcourse study rates` trains every arm with five seeds, the outer rate of each arm chosen on validation tasks. Between one rate and one for each weight there are steps in between: one rate that is *learned*, and one for each tensor (the six dials of section 1).
''')
code(r'''
rates_study = read(RESULTS / "rates.json")
plots.granularity(rates_study)
''')
code(r'''
by_arm = plots.by_arm([r for r in rates_study if r["split"] == "test" and r["shot"] == 10], "mse")
FIXED, ONE, TENSOR, WEIGHT, POSITIVE, CLAMPED = (
    "fixed at 0.01 (MAML)", "one learned rate", "one for each tensor", "one for each weight (Meta-SGD)",
    "one for each weight, never negative", "Meta-SGD, negative rates set to 0 at test")
for finer, coarser in ((ONE, FIXED), (TENSOR, ONE), (WEIGHT, TENSOR)):
    gain, half = t_interval(by_arm[coarser] - by_arm[finer])
    print(f"{finer:30s} against {coarser:22s}: error smaller by {gain:.3f} ± {half:.3f}")
    assert gain > half
share = (by_arm[FIXED] - by_arm[TENSOR]).mean() / (by_arm[FIXED] - by_arm[WEIGHT]).mean()
print(f"six rates give {100 * share:.0f} % of the gain of 1,761 ({len(by_arm[WEIGHT])} seeds, paired 95 % t intervals)")
assert share > 0.7
''')
md(r'''
Every refinement helps, and most of the gain is there with **six** rates. (Six dials for a θ that was trained with them: in section 1 you turned dials for a θ that was not.) Antoniou et al. (2019) learn one rate for each layer and step, with that argument: far fewer numbers, nearly all of the benefit.
''')
md(r'''
## 6 Look at the rates (7 min)

The widget shows the training you just ran, snapshot by snapshot. Upper row: the map of α over the network (red and dotted: negative), its histogram, and the course of training. Lower row: one weight of your choice. "By its step" sorts the weights by rate times the typical size of their gradient: 0 % is the weight that goes farthest *uphill*.
''')
code(r'''
LearnedRates(history)
''')
md(r'''
1. **Rewind to 0 and move forward.** At the start all rates lie in one bar, from 0.005 to 0.02. Within the first 100 steps the histogram spreads to both sides, and more than a fifth of the rates are negative; later the share hardly changes, while the loss goes on falling.
2. **Look at the map at the end.** Columns of $W_2$ that are uniformly pale belong to units of the first layer, and rows to units of the second, whose rates have hardly moved. Pick from `body.1.weight` at 50 %: the caption tells you whether such a weight has any gradient. A rate without a gradient stays where it started, and it counts as positive.
3. **Set the rank to 0 %, then to 100 %.** The cloud of gradients tilts the other way, and the learned rate (the cross) sits in the valley of the loss along it, on the other side of zero. Then pick from single tensors and look for a weight for which this is *not* so; you will find them in the middle ranks, where the curve is flat.
''')
md(r'''
## 7 What a negative rate means (8 min)

A negative rate sends a weight *up* the gradient of the support loss. Why would that help on the query points, which come from the same curve? The tempting answer: "because for this weight support and query gradients disagree".
''')
code(r'''
Predict("05.p3", "At θ, before any step: for what share of the weights do support and query gradients have the same "
        "sign on average over the tasks?", ["about half", "about 70 %, the positive rates", "nearly all"])
''')
code(r'''
check_tasks = SinusoidSampler(10, 50).sample(100, torch.Generator().manual_seed(1))
theta, alpha = ({name: p.detach() for name, p in params.items()} for params in (meta.theta(), meta.rates()))
share = agreement_at_theta(meta.net, theta, check_tasks)
assert share > 0.95 and 0.2 < meta.negative_rates() < 0.45
negative = 100 * meta.negative_rates().item()
outcome("05.p3", f"for nearly all of them, ≈{100 * share:.0f} %, though ≈{negative:.0f} % of the rates are negative.")
''')
md(r'''
So the tempting answer is wrong: at θ the two gradients agree, as two samples of one task should. Look at the box again. Its query gradient is taken at **φ, after all the other weights have moved**. And at the end of training the box is about zero for every weight, whatever the sign of its rate, for that is what trained means. So ask one weight at a time: *let all others move, hold this one still ($\alpha_j = 0$); do its two gradients now agree?*

$$\text{mean}_i\ \ \frac{\partial L(\theta; S_i)}{\partial\theta_j}\cdot\frac{\partial L(\varphi_i; Q_i)}{\partial\varphi_j}\bigg|_{\alpha_j = 0}\ \ >0\ \text{ asks for a positive rate},\quad <0\ \text{ for a negative one.}$$

Test it on 150 weights drawn at random from those that have a gradient, and sort them by what their rate is *worth*: how much the query loss rises when it alone is set to 0.
''')
code(r'''
found = signs(meta.net, theta, alpha, check_tasks, weights=150)
right = (found.rate > 0) == (found.product > 0)
order = found.worth.argsort(descending=True)
for name, part in (("worth most (a fifth)", order[:30]), ("worth least (a half)", order[75:])):
    agree, below = 100 * right[part].float().mean(), 100 * (found.rate[part] < 0).float().mean()
    print(f"{name}: sign as predicted ≈{agree:.0f} %,  negative ≈{below:.0f} %")
assert right[order[:30]].float().mean() > 0.9

first = [r for r in rates_study if r["arm"] == WEIGHT and r["split"] == "test" and r["shot"] == 10]
print(f"The {len(first)} networks of the study, 300 weights each:")
for key, words in (("agree_at_theta", "gradients agree at θ"), ("signs_agree", "worth most: sign as predicted"),
                   ("negative_there", "worth most: negative")):
    shares = [100 * row[key] for row in first]
    print(f"  {words:30s} {min(shares):3.0f} to {max(shares):3.0f} %")
''')
md(r'''
Where a rate matters, its sign is the one that this product asks for. A negative rate is a **correction**: all the other weights have stepped, together they have gone too far in some direction, and this weight takes a bit of it back. Where a rate is worth next to nothing, its sign says next to nothing either; do not read a story into every red cell of the map.

### Are negative rates needed?

Two experiments of the same study. Take the trained Meta-SGD and **set its negative rates to 0**. And train anew, with every rate **forbidden to be negative**.
''')
code(r'''
Predict("05.p4", "Which of the two is much worse than Meta-SGD?",
        ["setting them to 0 at test", "forbidding them in training", "both", "neither"])
''')
code(r'''
for name, arm in (("Meta-SGD", WEIGHT), ("negative rates set to 0 at test", CLAMPED),
                  ("never negative in training", POSITIVE)):
    mean, half = t_interval(by_arm[arm])
    print(f"{name:32s} {mean:.3f} ± {half:.3f}")
difference, half = t_interval(by_arm[POSITIVE] - by_arm[WEIGHT])
print(f"never negative, minus Meta-SGD:  {difference:+.3f} ± {half:.3f}  (paired, {len(by_arm[WEIGHT])} seeds)")
assert by_arm[CLAMPED].min() > 5 * by_arm[WEIGHT].max() and abs(difference) < 0.05
outcome("05.p4", "setting them to 0 at test; a training that forbids them does about as well.")
''')
md(r'''
This is the lesson's first surprise. The solution that Meta-SGD found cannot do without its negative rates: take them away and the error is larger than without any step. Yet **another solution without them does as well**. θ has so much freedom that it can arrange for corrections that go downhill. Negative rates are common and meaningful, and they are no explanation of why Meta-SGD beats MAML.
''')
md(r'''
## 8 Pretrain, Meta-SGD, adapt (9 min)

For images with many classes there is an obvious recipe: **[1] pretrain** the body of the network with one ordinary classifier over all training classes, **[2] Meta-SGD** from there, **[3] adapt** to a new task with the learned rates. In the course it is one learner with two phases:

```python
learner = MetaTransfer(Conv4(way=5), train_classes=1316)
[phase.name for phase in learner.phases(sampler, steps=600)]          # ["pretrain", "meta-train"]
```

or `mlcourse train meta-transfer --domain glyphs`. The order of stages is that of *Meta-Transfer Learning* (Sun et al., CVPR 2019). What that paper does in stage [2] is something else: it freezes the pretrained weights, learns one **scale and one shift** for each of their neurons, adapts the classifier, and draws hard tasks more often. Our stage [2] is plain Meta-SGD on all weights.

Does each stage pull its weight? The only way to know is to leave it out. `mlcourse study meta-transfer` trains on ten scripts of glyphs (5-way 1-shot, Conv4 with 32 filters and transductive batch norm) and tests on six other scripts, on the **handwritten UCI digits**, and on the test alphabets of Omniglot. Every arm has 600 outer steps of 8 episodes, one arm half of them; five seeds; all settings chosen on validation scripts of glyphs.
''')
code(r'''
Predict("05.p5", "600 outer steps. Is the accuracy on new scripts higher with 300 steps of pretraining and 300 of "
        "Meta-SGD, or with 600 of Meta-SGD?",
        ["with pretraining, by 2 points or more", "within 2 points", "without, by 2 points or more"])
''')
code(r'''
study = [r for r in read(RESULTS / "meta_transfer.json") if r["split"] != "val"]
def accuracies(domain, five_steps=False):
    return plots.by_arm([r for r in study if r["domain"] == domain and (r["steps"] == 5) == five_steps], "accuracy")

glyphs, digits, omniglot = map(accuracies, ("glyphs", "digits", "omniglot"))
digits_5 = accuracies("digits", five_steps=True)
print(f"{'accuracy in %, 5 seeds':40s} new scripts   UCI digits    digits, 5 steps   Omniglot")
for arm in glyphs:
    cells = [t_interval(table[arm]) if arm in table else None for table in (glyphs, digits, digits_5, omniglot)]
    print(f"{arm:40s} " + "   ".join(f"{c[0]:4.1f} ± {c[1]:3.1f}" if c else "     -    " for c in cells))
''')
code(r'''
plots.pipeline(study)
''')
md(r'''
The intervals in the table are of single arms. The arms share seeds and test episodes, so what a stage is worth is read from **paired differences**:
''')
code(r'''
FULL, TUNED = "pretrain, Meta-SGD, adapt", "without Meta-SGD"
pairs = {f"pipeline minus {arm}": (FULL, arm) for arm in
         ("without pretraining", "without pretraining, half the steps", "without learned rates", TUNED)}
pairs["pretrained, fine-tuned minus random start"] = (TUNED, "random start")
print(f"{'paired differences in points':52s} new scripts      UCI digits       Omniglot")
worth = {}
for words, (one, other) in pairs.items():
    worth[other] = [t_interval(table[one] - table[other]) for table in (glyphs, digits, omniglot)]
    print(f"  {words:50s} " + "   ".join(f"{mean:+5.1f} ± {half:3.1f}   " for mean, half in worth[other]))
gap, half = worth["without pretraining"][0]
outcome("05.p5", f"without pretraining, by {-gap:.1f} ± {half:.1f} points.")
assert gap + half < -2 and all(mean > half for mean, half in worth[TUNED])
''')
md("@@PIPELINE@@")
md(r'''
## 9 Another network, another kind of data (5 min)

Nothing in line [5] knows what the network is. Here is a **Transformer** on **sequences**: each class is an "instrument" with a frequency, a decay and an overtone of its own; each sample is that instrument struck anew, with other loudness and phases, and noise. Five instruments, one sample of each, never heard before.
''')
code(r'''
sequences = OscillationSampler(way=5, shot=1, query=5)
plots.instruments(sequences.sample(1, torch.Generator().manual_seed(4)).task(0))
''')
md(r'''
The Transformer of the course, [nets_sequence.py](../mlcourse/nets_sequence.py), has one block and attention written out in five lines. `MetaSGD` and `MAML` are the classes that you used above, unchanged. Neither was tuned here: MAML's rate of 0.5 is about the middle of the range in which Meta-SGD's rates start.
''')
code(r'''
on_sequences = {"Meta-SGD": MetaSGD(Transformer(5, 24), low=0.1, high=1.0), "MAML": MAML(Transformer(5, 24), lr=0.5)}
for name, learner in on_sequences.items():
    _ = train_live(learner, learner.phases(sequences, steps=250, tasks=8, lr=0.01), f"{name}, sequences")
new = OscillationSampler(way=5, shot=1, query=15)
heard = {name: scores(learner, new, 200, seed=TEST)
         for name, learner in (*on_sequences.items(), ("nearest neighbour", NearestNeighbour()))}
for name, values in heard.items():
    mean, half = interval(values)
    print(f"  {name:18s} ≈{100 * mean:.0f} ± {100 * half:.0f} %")
print(f"negative rates of the Transformer: ≈{100 * on_sequences['Meta-SGD'].negative_rates().item():.0f} %")
assert all(heard[name].mean() > heard["nearest neighbour"].mean() + 0.2 for name in on_sequences)
''')
md(r'''
One gradient step on five sequences, and both are far above the nearest neighbour, for which two strokes of one instrument look no more alike than strokes of two. The method asks of a network only that its loss can be differentiated twice.
''')
md("@@WRAP@@")

def build(extra):
    nb = nbformat.v4.new_notebook()
    for i, (kind, text, meta) in enumerate(cells, 1):
        for key, value in extra.items(): text = text.replace(key, value)
        make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        cell = make(text, metadata=meta); cell["id"] = f"05-{i:03d}"
        nb.cells.append(cell)
    nb.metadata = {"kernelspec": notebooks.KERNELSPEC, "language_info": notebooks.LANGUAGE, "mlcourse": {
        "lesson": "05", "title": "Meta-SGD and meta-transfer", "minutes": 98,
        "methods": ["Meta-SGD", "MAML", "meta-transfer (pretrain, Meta-SGD, adapt)"],
        "exercises": ["05.1", "05.2", "05.3", "05.4"]}}
    notebooks.write(nb, Path("notebooks/05_meta_sgd.ipynb"))
    for i, (k, t, m) in enumerate(cells, 1):
        if k == "code" and t.count("\n") + 1 > 25: print("long", i, t.count("\n") + 1)
        for l in t.split("\n"):
            if k == "code" and len(l) > 120: print("wide", i, len(l), l[:60])
