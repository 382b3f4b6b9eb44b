"""The exercises of lesson 09 on paper, and on how an episode is run."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l09_memory.broken import EPISODE_BROKEN
from mlcourse.lessons.l09_memory.checks_episode import (AHEAD, CARRIED, CUT, FORGETS, LATER, LEAK, NAMED, NEVER,
                                                         SWAPPED, WRAPPED, check_episode, check_shares, truths)

# ---------------------------------------------------------------- 09.4

SHARES = '''\
bounds = {             # each a number; a memory of 4 rows in the first two
    # strength 1; one row equals the key, the other 3 are opposite to it: its share
    "largest": ...,
    # one row equals the key, the other 3 have the cosine 0: the strength for a share of 1/2
    "strength": ...,
    # 5 classes: the mean chance of the best guess at the five first presentations, by who
    # remembers all labels told, and sees that the class is new
    "first": ...,
}'''


def solved(**changed: str) -> str:
    """The numbers with these answers, the others right."""
    return edited(SHARES, *((f'"{key}": ...', f'"{key}": {changed.get(key, f"{right:.4g}")}')
                            for key, right in truths().items()))


def number_line(key: str, value: str) -> str:
    """The line of the solution that gives a number."""
    return next(line for line in solved(**{key: value}).split("\n") if line.startswith(f'    "{key}"'))


shares = Exercise(
    id="09.4", title="Two bounds on paper", answer="bounds", difficulty=2, minutes=4,
    stub=SHARES, solution_source=solved(), check=check_shares,
    hints=(
        "A share is exp(strength · cosine) over the sum of all four such numbers. For the guess: "
        "whoever has seen a label with another class can rule it out.",
        "exp(1) against 3 times exp(-1); exp(strength) against 3 times exp(0). At the first new class five labels are "
        "open, at the fifth one.",
        "With e = 2.718: e / (e + 3 / e); ln 3; (1/5 + 1/4 + 1/3 + 1/2 + 1) / 5.",
    ),
    wrong=(
        (solved(largest="0.475"), "the others unrelated, not opposite"),
        (solved(largest="0.25"), "a softmax taken for an average"),
        (solved(largest="0.649", strength="1.386"), "the row counted among the others"),
        (solved(strength="3"), "the logarithm is forgotten"),
        (solved(strength="0.549"), "the others opposite, not unrelated"),
        (solved(strength="1"), "the strength left at 1"),
        (solved(largest="1 / (1 + 3 / 2.718)", strength="1"), "the others unrelated, not opposite, the strength left "
         "at 1"),
        (solved(first="0.2"), "chance at every first sight"),
        (solved(first="1"), "the label is known"),
        (solved(first="1 / 3"), "one over the mean number left"),
        (solved(largest="0.475", first="0.2"), "the others unrelated, not opposite, chance at every first sight"),
    ),
    mutations=tuple((number_line(key, f"{truths()[key]:.4g}"), number_line(key, value)) for key, value in (
        ("largest", "0.5"), ("strength", "10"), ("first", "0.4"))))

# ---------------------------------------------------------------- 09.5

EPISODE = '''\
def episode(machine, z, y):
    """Run one batch of episodes: step t sees picture t and the label of step t - 1.

    machine.start(B): the state before a first step; machine(x, state): answer and next state
    z: (T, B, D), what is seen; y: (T, B), its labels, whole numbers from 0 to 4
    Returns the answers (T, B, 5).
    """
'''
LABEL = "    label = torch.nn.functional.one_hot(y, 5).to(z.dtype)"
LATE = "    late = torch.cat([torch.zeros_like(label[:1]), label[:-1]])"
START = "    state, answers = machine.start(z.shape[1]), []"
LOOP = "    for t in range(len(z)):"
STEP = "        answer, state = machine(torch.cat([z[t], late[t]], -1), state)"
EPISODE_SOLUTION = EPISODE + "\n".join((LABEL, LATE, START, LOOP, STEP, "        answers.append(answer)",
                                        "    return torch.stack(answers)"))


def episode_wrong(*edits: tuple[str, str]) -> str:
    """A wrong run: the solution with edits."""
    return edited(EPISODE_SOLUTION, *edits)


episode = Exercise(
    id="09.5", title="Spot the bug: too good", answer="episode", difficulty=3, minutes=5, given=EPISODE_BROKEN,
    stub=EPISODE + "    ...", solution_source=EPISODE_SOLUTION, check=check_episode,
    hints=(
        "Two mistakes. Which label does step t see, and what does the second batch of episodes begin with?",
        "Step t may see label t - 1, and the first step none: zeros. The state comes from machine.start(B), once for "
        "each call, and is not kept in the machine.",
        "late = torch.cat([torch.zeros_like(label[:1]), label[:-1]]); before the loop state = "
        "machine.start(z.shape[1]); in it answer, state = machine(torch.cat([z[t], late[t]], -1), state).",
    ),
    wrong=(
        (EPISODE_BROKEN.replace("episode_broken", "episode"), f"{LEAK}, {CARRIED}"),
        (episode_wrong(("late[t]", "label[t]")), LEAK),
        (episode_wrong((LATE, "    late = label.roll(1, 0)")), WRAPPED),
        (episode_wrong((LATE, "    late = torch.cat([label[:1], label[:-1]])")), WRAPPED),
        (episode_wrong((LATE, "    late = torch.cat([torch.zeros_like(y[:1]), y[:-1]])\n"
                              "    late = torch.nn.functional.one_hot(late, 5).to(z.dtype)")), NAMED),
        (episode_wrong((LATE, "    late = torch.cat([label[1:], torch.zeros_like(label[:1])])")), AHEAD),
        (episode_wrong((LATE, "    late = torch.cat([label[1:], label[-1:]])")), f"{AHEAD}, {WRAPPED}"),
        (episode_wrong((LATE, "    late = label.roll(-1, 0)")), f"{AHEAD}, {WRAPPED}"),
        (episode_wrong((LATE, "    late = torch.cat([torch.zeros_like(label[:2]), label[:-2]])")), LATER),
        (episode_wrong((LATE, "    late = torch.zeros_like(label)")), NEVER),
        (episode_wrong(("[z[t], late[t]]", "[late[t], z[t]]")), SWAPPED),
        (episode_wrong(("[z[t], late[t]]", "[label[t], z[t]]")), f"{LEAK}, {SWAPPED}"),
        (episode_wrong(("machine.start(z.shape[1])", "machine.memory"),
                       ("    return", "    machine.memory = state\n    return")), CARRIED),
        (episode_wrong((STEP, STEP + "\n        state = state.detach()")), CUT),
        (episode_wrong(("z[t], late", "z[t].detach(), late")), CUT),
        (episode_wrong(("append(answer)", "append(answer if t else answer.detach())")), CUT),
        (episode_wrong((LOOP, LOOP + "\n        state = machine.start(z.shape[1])")), FORGETS),
    ),
    mutations=(
        (LATE, "    late = torch.cat([torch.ones_like(label[:1]), label[:-1]])"),
        (LATE, "    late = torch.cat([torch.zeros_like(label[:1]), 2 * label[:-1]])"),
        (START, "    state, answers = machine.start(3), []"),
        (STEP, "        answer, state = machine(torch.cat([z[0], late[t]], -1), state)"),
    ))
