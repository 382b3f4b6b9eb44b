"""One MAML meta-step: ours against a Python loop over tasks with torch.autograd.grad, in the same run.

    python benchmarks/meta_step.py [--chunk N] [--rounds 15] [--json benchmarks/results/meta_step.json]

Both compute the same meta-gradient (checked to 1e-6 relative in float64, on two tasks) on the same weights and
episodes, with the same threads, in float32, alternating; the table gives medians in milliseconds and the ratio loop / ours.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.learner import batch_loss
from mlcourse.learners import MAML
from mlcourse.losses import task_loss
from mlcourse.machine import keep_freed_memory, limit_threads
from mlcourse.nets import MLP, Conv4, call
from mlcourse.runs import commit, versions


def loop_gradient(learner, batch):
    """The meta-gradient as most repositories compute it: one task after the other, create_graph=True."""
    theta = dict(learner.net.named_parameters())
    total = 0.0
    for i in range(batch.tasks):
        task, phi = batch.task(i), theta
        for _ in range(learner.steps):
            loss = task_loss(call(learner.net, phi, task.support_x), task.support_y)
            grads = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
            phi = {name: p - learner.lr * g for (name, p), g in zip(phi.items(), grads, strict=True)}
        total = total + task_loss(call(learner.net, phi, task.query_x), task.query_y)
    return torch.autograd.grad(total / batch.tasks, list(theta.values()))


def our_gradient(learner, batch, chunk):
    """The meta-gradient as train.py computes it: vmap over `chunk` tasks, backward once per chunk."""
    learner.zero_grad()
    for start in range(0, batch.tasks, chunk):
        part = batch.task(slice(start, start + chunk))
        (batch_loss(learner, part) * (part.tasks / batch.tasks)).backward()
    return [p.grad for p in learner.parameters()]


def disagreement(learner, batch):
    """The largest relative difference between the two gradients over the parameters."""
    loop = loop_gradient(learner, batch)
    ours = our_gradient(learner, batch, 2)
    return max(float((a - b).norm() / b.norm()) for a, b in zip(ours, loop, strict=True))


def pictures(way=5, shot=1):
    """Random pictures in the shape of Omniglot: time does not depend on what they show."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (4000, 1, 28, 28), dtype=torch.uint8, generator=generator)
    names = tuple(map(str, range(200)))
    return EpisodeSampler(Domain("noise", images, torch.arange(200).repeat_interleave(20), names, names), way, shot)


WORK = {
    "sinusoid MLP 40-40, 25 tasks, K=10, 1 step": (lambda: MAML(MLP(), 0.01), SinusoidSampler(10, 10), 25),
    "Omniglot Conv4-64, 32 tasks, 5-way 1-shot, 1 step": (lambda: MAML(Conv4(5), 0.4), pictures(), 32),
    "Omniglot Conv4-64, 16 tasks, 5-way 5-shot, 1 step": (lambda: MAML(Conv4(5), 0.4), pictures(shot=5), 16),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chunk", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    keep_freed_memory()
    limit_threads()
    rows = []
    for name, (make, sampler, tasks) in WORK.items():
        learner, batch = make(), sampler.sample(tasks, torch.Generator().manual_seed(1))
        chunk = options.chunk or learner.tasks_at_once or tasks
        error = disagreement(make().double(), batch.task(slice(0, 2)).to(torch.float64))
        if error > 1e-6:
            raise SystemExit(f"{name}: the gradients differ by {error:.1e}")
        ours, loop = [], []
        for _ in range(options.rounds):
            for times, step in ((ours, lambda: our_gradient(learner, batch, chunk)),
                                (loop, lambda: loop_gradient(learner, batch))):
                start = time.perf_counter()
                step()
                times.append(1000 * (time.perf_counter() - start))
        ratios = sorted(b / a for a, b in zip(ours[2:], loop[2:], strict=True))
        row = {"workload": name, "chunk": chunk, "ours_ms": round(statistics.median(ours[2:]), 2),
               "loop_ms": round(statistics.median(loop[2:]), 2), "ratio": round(statistics.median(ratios), 2),
               "ratio_range": [round(ratios[0], 2), round(ratios[-1], 2)], "gradient_error": float(f"{error:.1e}")}
        rows.append(row)
        print(f"{name:52s} ours {row['ours_ms']:8.2f} ms   loop {row['loop_ms']:8.2f} ms   ratio {row['ratio']:5.2f}",
              flush=True)
    if options.json:
        options.json.write_text(json.dumps({"command": f"python benchmarks/meta_step.py --rounds {options.rounds}",
                                            "commit": commit(), "versions": versions(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
