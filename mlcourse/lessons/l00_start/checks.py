"""Checks of lesson 00: what an episode is made of."""

from __future__ import annotations

import torch

from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.exercises.framework import LearnerFunction, Misconception, NotAttempted, NotYet, kind

# way, shot, query, unlabelled per class, distractor classes
HIDDEN = ((4, 3, 7, 2, 1), (5, 2, 6, 0, 0), (3, 6, 4, 3, 2))


def noise_episode(way: int, shot: int, query: int, unlabeled: int, distractors: int, seed: int) -> Episode:
    """One episode of random pictures, without a task dimension."""
    generator = torch.Generator().manual_seed(seed)
    classes, each = 30, shot + query + unlabeled
    images = torch.randint(0, 256, (classes * each, 1, 28, 28), dtype=torch.uint8, generator=generator)
    names = tuple(f"character {i}" for i in range(classes))
    domain = Domain("noise", images, torch.arange(classes).repeat_interleave(each), names, names)
    sampler = EpisodeSampler(domain, way, shot, query, unlabeled=unlabeled, distractors=distractors)
    return sampler.sample(1, generator).task(0)


def check_read_episode(answer: object) -> str:
    """00.1: the four numbers of several episodes."""
    read = LearnerFunction(answer, "read_episode")
    for seed, (way, shot, query, unlabeled, distractors) in enumerate(HIDDEN):
        episode = noise_episode(way, shot, query, unlabeled, distractors, seed)
        want = {"way": way, "shot": shot, "query": query, "unlabeled": unlabeled * (way + distractors)}
        got = read(episode)
        if not isinstance(got, dict):
            raise NotYet(f"read_episode must return a dict, got {kind(got)}.")
        if missing := [key for key in want if key not in got]:
            raise NotYet(f"the dict lacks {' and '.join(missing)}; it needs way, shot, query and unlabeled.")
        got = {key: number(key, got[key]) for key in want}
        if got != want:
            diagnose_numbers(got, want, episode)
    return f"Way, shot, query and unlabeled are right in {len(HIDDEN)} episodes of different sizes."


def number(key: str, value: object) -> float:
    """A dict entry as a number."""
    if value is ... or value is None:
        raise NotYet(f"{key} is still open; put a number there.")
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        raise NotYet(f"{key} must be one number, got {kind(value)}.") from None


def diagnose_numbers(got: dict, want: dict, episode: Episode) -> None:
    """Raise what is wrong with the four numbers."""
    way, shot, query = want["way"], want["shot"], want["query"]
    if got["way"] != way and got["way"] == int(episode.classes.max()) + 1:
        raise Misconception("class ids counted as classes", "episode.classes holds the ids that the classes have in "
                            "the whole data set; count them, or count the different labels in support_y.")
    if got["way"] in (way * shot, way * query):
        raise Misconception("samples counted as classes", f"way is the number of different classes, {way} here, and "
                            f"not the number of samples; look at how many different labels support_y holds.")
    if got["way"] == way - 1:
        raise Misconception("labels start at 0", f"the greatest label is {way - 1}, but the labels are 0 to {way - 1}, "
                            f"so there are {way} classes.")
    if got["way"] == 1 or got["shot"] in (0, 1) or got["query"] in (0, 1):
        raise Misconception("a task dimension where there is none", f"this is a single episode, so support_x has shape "
                            f"{tuple(episode.support_x.shape)} and its first dimension counts samples, not tasks; only "
                            f"a batch of episodes has a task dimension in front.")
    if got["shot"] == query and got["query"] == shot:
        raise Misconception("shot and query swapped", f"the shot is the number of support samples of each class, "
                            f"{shot} here; query is the number of query samples of each class, {query} here.")
    if got["shot"] == way * shot or got["query"] == way * query:
        raise Misconception("total instead of per class", f"the support set holds {way * shot} samples of {way} "
                            f"classes, so the shot is {shot}; shot and query both count samples of one class.")
    key = next(key for key in want if got[key] != want[key])
    raise NotYet(f"for an episode with support_x of shape {tuple(episode.support_x.shape)}, query_x of shape "
                 f"{tuple(episode.query_x.shape)}, unlabeled_x of shape {tuple(episode.unlabeled_x.shape)} and labels "
                 f"0 to {way - 1}, {key} is {want[key]}, but you returned {got[key]:g}.")


SETS = {"a": "support", "b": "query", "c": "query", "d": "support", "e": "support", "f": "neither"}
SET_MISCONCEPTIONS = {
    "a": ("query labels shown to the learner", "the learner predicts the query labels, so it must not see them first; "
          "the labels it may see are those of the support set"),
    "b": ("scored on the samples it adapted to", "the support labels were handed to the learner, so a score on them "
          "shows memory and not learning; the score comes from the query set"),
    "c": ("outer loss on the support set", "the outer loss asks how well the adapted model does on samples that it did "
          "not adapt to, and those are the query set"),
    "d": ("adapted on the query set", "the inner loop adapts on the samples whose labels the learner is given, the "
          "support set; a gradient of the query loss would use the labels to be predicted"),
    "e": ("labelled examples of the user taken for a test", "the user's labelled pictures are what the system adapts "
          "on, the support set; the pictures they want named later are the query set"),
    "f": ("support and query overlap", "a picture belongs to one set of an episode only; in both, it would be scored "
          "with its own label known"),
}


def check_support_or_query(answer: object) -> str:
    """00.2: six statements, each about the support set, the query set or neither."""
    if answer is None or answer is ... or (isinstance(answer, dict) and all(v is ... for v in answer.values())):
        raise NotAttempted
    if not isinstance(answer, dict):
        raise NotYet(f"the answers must be a dict with the keys a to f, got {kind(answer)}.")
    if left := [key for key in SETS if answer.get(key, ...) in (..., None)]:
        raise NotYet(f"still open: {', '.join(left)}.")
    given = {key: str(answer[key]).strip().lower() for key in SETS}
    for key, value in given.items():
        if value not in ("support", "query", "neither"):
            raise NotYet(f"{key} is {answer[key]!r}; write \"support\", \"query\" or \"neither\".")
    wrong = [key for key in SETS if given[key] != SETS[key]]
    other = {"support": "query", "query": "support"}
    if all(given[key] == other.get(SETS[key]) for key in "abcde"):
        raise Misconception("support and query swapped", "the support set is what the learner is given with labels; "
                            "the query set is what it is then asked about.")
    if wrong:
        name, why = SET_MISCONCEPTIONS[wrong[0]]
        count = "one answer is wrong" if len(wrong) == 1 else f"{len(wrong)} answers are wrong"
        raise Misconception(name, f"look at {wrong[0]}: {why} ({count}).")
    return "The learner adapts on the support set and is judged on the query set, and no sample is in both."


def check_nearest(answer: object) -> str:
    """00.3: one nearest neighbour against a double loop over samples."""
    nearest = LearnerFunction(answer, "nearest")
    for seed, (way, shot, query) in enumerate(((4, 3, 2), (5, 1, 3), (3, 2, 5))):
        episode = noise_episode(way, shot, query, 0, 0, 10 + seed)
        x, y, q = episode.support_x, episode.support_y, episode.query_x
        index = torch.tensor([min(range(len(x)), key=lambda i: float(((x[i] - one).double() ** 2).sum())) for one in q])
        got = nearest(x.clone(), y.clone(), q.clone())
        try:
            got = torch.as_tensor(got)
        except (TypeError, ValueError, RuntimeError):
            raise NotYet(f"nearest must return a tensor of labels, got {kind(got)}.") from None
        if got.shape != y[index].shape or not torch.equal(got.long(), y[index]):
            diagnose_labels(got, index, x, y, q)
    return "The labels agree with a double loop over query and support samples in 3 episodes."


def diagnose_labels(got: torch.Tensor, index: torch.Tensor, x: torch.Tensor, y: torch.Tensor, q: torch.Tensor) -> None:
    """Raise what is wrong with the predicted labels. x, y: support set; q: query pictures."""
    difference = q[:, None] - x[None]
    square = (difference ** 2).sum((2, 3, 4))
    if got.shape == y.shape and got.shape != index.shape:
        raise Misconception("minimum over the wrong axis", f"you returned {len(y)} labels, one for each support "
                            f"sample, but there are {len(q)} query samples; for each query, look for the nearest "
                            f"support sample.")
    if got.ndim == 0:
        raise NotYet(f"you returned a single label for {len(q)} query samples; each needs its own.")
    if got.shape != index.shape:
        raise Misconception("not one distance per pair", f"the answer must have shape ({len(q)},), one label for each "
                            f"query sample, but yours has shape {tuple(got.shape)}; sum the squared differences over "
                            f"all pixels of a picture before you look for the smallest.")
    got = got.long()
    if torch.equal(got, index):
        raise Misconception("index instead of label", "you returned the position of the nearest support sample; its "
                            "label is support_y at that position.")
    if torch.equal(got, y[square.argmax(1)]):
        raise Misconception("farthest instead of nearest", "a small distance means alike, so take the position of the "
                            "smallest distance, not of the greatest.")
    if torch.equal(got, y[difference.sum((2, 3, 4)).argmin(1)]):
        raise Misconception("differences that cancel", "positive and negative differences cancel in a plain sum; "
                            "square them first.")
    if torch.equal(got, y[difference.abs().sum((2, 3, 4)).argmin(1)]):
        raise Misconception("another distance", "this is the nearest neighbour by absolute differences; the exercise "
                            "asks for the Euclidean distance, with squared differences.")
    share = int((got == y[index]).sum())
    raise NotYet(f"{share} of {len(q)} labels agree with a double loop over the samples; look at one query sample, its "
                 f"distance to every support sample, and the label of the nearest.")
