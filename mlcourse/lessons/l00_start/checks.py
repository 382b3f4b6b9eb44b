"""Checks of lesson 00: what an episode is made of."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.exercises.by_hand import by_hand
from mlcourse.exercises.entries import filled
from mlcourse.exercises.framework import (Crashed, LearnerFunction, Misconception, NotYet, all_of, explain,
                                          first_line, kind, look_at)
from mlcourse.exercises.values import number, tensor

NOT_FLAT = "pictures that are not flattened"
NO_PAIRS = "not one distance per pair"
LOOKED = "the way read off the classes"
NEITHER = "neither, where it is one of the two"
DISTANCES = "distances in place of labels"

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
        got = {key: count(key, got[key]) for key in want}
        if got != want:
            diagnose_numbers(got, want, episode)
        see_where(read(episode._replace(classes=torch.arange(way + 2))), got)
    return f"Way, shot, query and unlabeled are right in {len(HIDDEN)} episodes of different sizes."


def see_where(hidden: object, got: dict) -> None:
    """Raise where other classes give other numbers. hidden: what the same episode gives with them; got: the right
    numbers."""
    looked = [key for key in got if not isinstance(hidden, dict) or count(key, hidden.get(key)) != got[key]]
    if looked:
        is_are, comes = ("is", "comes") if len(looked) == 1 else ("are", "come")
        raise Misconception(LOOKED, f"{', '.join(looked)} {is_are} right, but {comes} from episode.classes, where a "
                            f"learner must not look (episode.way reads it, too); count the different labels in "
                            f"support_y.")


def count(key: str, value: object) -> float:
    """A dict entry as a number."""
    if value is ... or value is None:
        raise NotYet(f"{key} is still open; put a number there.")
    return number(value, f"{key} must be one number")


def diagnose_numbers(got: dict, want: dict, episode: Episode) -> None:
    """Raise everything that is wrong with the four numbers: the known mistakes, and the right value of each other."""
    wrong = {key for key in want if got[key] != want[key]}
    found, explained = [], set()
    for keys, misconception in known_mistakes(got, want, wrong, episode):
        if not keys <= explained:
            found.append(misconception)
            explained |= keys
    rest = [key for key in want if key in wrong - explained]
    seen = ", ".join(f"{key} is {want[key]}, but you returned {got[key]:g}" for key in rest)
    shapes = (f"for an episode with support_x of shape {tuple(episode.support_x.shape)}, query_x of shape "
              f"{tuple(episode.query_x.shape)}, unlabeled_x of shape {tuple(episode.unlabeled_x.shape)} and labels 0 "
              f"to {want['way'] - 1}")
    if not found:
        raise NotYet(f"{shapes}, {seen}.")
    known = all_of(found)
    raise Misconception(known.names[0], f"{known} And {seen}." if rest else str(known), *known.names[1:])


def known_mistakes(got: dict, want: dict, wrong: set[str],
                   episode: Episode) -> Iterator[tuple[set[str], Misconception]]:
    """The known mistakes in the four numbers, each with the wrong numbers that it explains; a wrong way explains a shot
    and a query that were divided by it."""
    way, shot, query = want["way"], want["shot"], want["query"]
    way_too = {"way"} | {key for key in wrong & {"shot", "query"}
                         if got["way"] >= 1 and got[key] == way * want[key] // got["way"]}
    if "way" in wrong and got["way"] == int(episode.classes.max()) + 1:
        yield way_too, Misconception("class ids counted as classes", "episode.classes holds the ids that the classes "
                                     "have in the whole data set, and a learner must not look there; count the "
                                     "different labels in support_y.")
    if "way" in wrong and got["way"] in (way * shot, way * query):
        yield way_too, Misconception("samples counted as classes", f"way is the number of different classes, {way} "
                                     f"here, and not the number of samples; look at how many different labels "
                                     f"support_y holds.")
    if "way" in wrong and got["way"] == way - 1:
        yield way_too, Misconception("labels start at 0", f"the greatest label is {way - 1}, but the labels are 0 to "
                                     f"{way - 1}, so there are {way} classes.")
    single = {key for key in wrong if (key == "way" and got[key] == 1) or (key in ("shot", "query")
                                                                           and got[key] in (0, 1))}
    if single:
        yield single, Misconception("a task dimension where there is none", f"this is a single episode, so support_x "
                                    f"has shape {tuple(episode.support_x.shape)} and its first dimension counts "
                                    f"samples, not tasks; only a batch of episodes has a task dimension in front.")
    if got["shot"] == query and got["query"] == shot:
        yield {"shot", "query"}, Misconception("shot and query swapped", f"the shot is the number of support samples "
                                               f"of each class, {shot} here; query is the number of query samples of "
                                               f"each class, {query} here.")
    total = {key for key in wrong & {"shot", "query"} if got[key] == way * want[key]}
    if total:
        sets = [(key, name) for key, name in (("shot", "support"), ("query", "query")) if key in total]
        samples = ", and ".join(f"the {name} set holds {way * want[key]} samples of {way} classes, so {key} is "
                               f"{want[key]}" for key, name in sets)
        yield total, Misconception("total instead of per class", f"{samples}; shot and query count samples of one "
                                   f"class.")


SETS = {"a": "support", "b": "query", "c": "query", "d": "support", "e": "support", "f": "neither"}
SET_MISCONCEPTIONS = {
    "a": ("query labels shown to the learner", "the learner predicts the query labels, so it must not see them first; "
          "the labels it may see are those of the support set"),
    "b": ("scored on the samples it adapted to", "the support labels were handed to the learner, so a score on them "
          "shows memory and not learning; the score comes from the query set"),
    "c": ("loss after adaptation on the support set", "the loss after adaptation asks how well the adapted model does "
          "on samples that it did not adapt to, and those are the query set"),
    "d": ("adapted on the query set", "a model adapts on the samples whose labels it is given, the support set; a "
          "gradient of the query loss would use the labels to be predicted"),
    "e": ("labelled examples of the user taken for a test", "the user's labelled pictures are what the system adapts "
          "on, the support set; the pictures they want named later are the query set"),
    "f": ("support and query overlap", "a picture belongs to one set of an episode only; in both, it would be scored "
          "with its own label known"),
}


def check_support_or_query(answer: object) -> str:
    """00.2: six statements, each about the support set, the query set or neither."""
    given = filled(answer, dict.fromkeys(SETS, ("support", "query", "neither")))
    wrong, found = [key for key in SETS if given[key] != SETS[key]], []
    other = {"support": "query", "query": "support"}
    if all(given[key] == other.get(SETS[key]) for key in "abcde"):
        found.append(Misconception("support and query swapped", "the support set is what the learner is given with "
                                   "labels; the query set is what it is then asked about."))
        wrong = [key for key in wrong if key == "f"]
    if neither := [key for key in wrong if given[key] == "neither"]:
        found.append(Misconception(NEITHER, look_at(", ".join(neither), "these samples serve to learn from or to be "
                                                    "judged on, so they stand in one of the two sets")))
    found += [Misconception(name, look_at(key, why)) for key in wrong if key not in neither
              for name, why in [SET_MISCONCEPTIONS[key]]]
    if found:
        raise all_of(found)
    return "The learner adapts on the support set and is judged on the query set, and no sample is in both."


def check_nearest(answer: object) -> str:
    """00.3: one nearest neighbour against a double loop over samples."""
    with by_hand(answer, "nearest") as nearest:
        for seed, (way, shot, query) in enumerate(((4, 3, 2), (5, 1, 3), (3, 2, 5))):
            episode = noise_episode(way, shot, query, 0, 0, 10 + seed)
            x, y, q = episode.support_x, episode.support_y, episode.query_x
            index = torch.tensor([min(range(len(x)), key=lambda i: float(((x[i] - one).double() ** 2).sum()))
                                  for one in q])
            try:
                answered = nearest(x.clone(), y.clone(), q.clone())
            except Crashed as crash:
                explain_pictures(crash, nearest.code.co_names if nearest.code else ())
                raise
            got = tensor(answered, None, "nearest must return a tensor of labels")
            if got.shape != y[index].shape or not torch.equal(got, y[index].double()):
                diagnose_labels(got, index, x, y, q)
    return "The labels agree with a double loop over query and support samples in 3 episodes."


def explain_pictures(crash: Crashed, names: tuple[str, ...]) -> None:
    """Raise the misconception behind an error that pictures give where rows of pixels, or pairs, are expected; names:
    those that the learner's function uses."""
    said = f"torch says \"{first_line(crash.error)}\""
    if "cdist" in names:
        raise Misconception(NOT_FLAT, f"{said}, because cdist measures between rows, and it met pictures of shape "
                            f"(1, 28, 28); make each picture a row of pixels first, x.flatten(1).") from None
    if "must match the size" in str(crash.error):
        raise Misconception(NO_PAIRS, f"{said}, because there are not as many query as support pictures; every query "
                            f"must meet every support picture, query_x[:, None] beside support_x[None].") from None


def diagnose_labels(got: torch.Tensor, index: torch.Tensor, x: torch.Tensor, y: torch.Tensor, q: torch.Tensor) -> None:
    """Raise what is wrong with the predicted labels. x, y: support set; q: query pictures."""
    if got.shape == y.shape and got.shape != index.shape:
        raise Misconception("minimum over the wrong axis", f"you returned {len(y)} labels, one for each support "
                            f"sample, but there are {len(q)} query samples; for each query, look for the nearest "
                            f"support sample.")
    if got.numel() == len(index) and got.ndim == 2:
        raise Misconception("a dimension too many", f"there are {len(q)} labels, and they must stand in a row, shape "
                            f"({len(q)},), but yours have shape {tuple(got.shape)}; look for keepdim=True, or take the "
                            f"dimension of length 1 away by squeeze.")
    if got.shape == (len(q), len(x)):
        raise Misconception(DISTANCES, f"you returned {len(q)} × {len(x)} numbers, one for each pair of a query and a "
                            f"support sample; find the smallest in each row, and return the label of that support "
                            f"sample.")
    if got.ndim == 0:
        raise NotYet(f"you returned a single label for {len(q)} query samples; each needs its own.")
    if got.shape != index.shape:
        raise Misconception(NO_PAIRS, f"the answer must have shape ({len(q)},), one label for each "
                            f"query sample, but yours has shape {tuple(got.shape)}; sum the squared differences over "
                            f"all pixels of a picture before you look for the smallest.")
    if not torch.equal(got, got.round()):
        raise Misconception("a label that is no label", f"labels are whole numbers, but you returned "
                            f"{first_fraction(got):g}; copy the label of the nearest support sample as it is.")
    got = got.long()
    explain(got, lambda **faults: neighbours(index, x, y, q, **faults), LABEL_FAULTS, torch.equal)
    share = int((got == y[index]).sum())
    raise NotYet(f"{share} of {len(q)} labels agree with a double loop over the samples; look at one query sample, its "
                 f"distance to every support sample, and the label of the nearest.")


def neighbours(index: torch.Tensor, x: torch.Tensor, y: torch.Tensor, q: torch.Tensor, metric: str = "squares",
             best: str = "nearest", copied: str = "label") -> torch.Tensor:
    """What nearest neighbours answer; the options are the known faults. index: the right neighbours."""
    difference = q[:, None] - x[None]
    distance = {"squares": difference ** 2, "sum": difference, "absolute": difference.abs()}[metric].sum((2, 3, 4))
    if (metric, best) != ("squares", "nearest"):
        index = distance.argmin(1) if best == "nearest" else distance.argmax(1)
    return y[index] if copied == "label" else index


LABEL_FAULTS = (
    ("index instead of label", {"copied": "index"}, "you returned the position of a support sample; its label is "
     "support_y at that position"),
    ("farthest instead of nearest", {"best": "farthest"}, "a small distance means alike, so take the position of the "
     "smallest distance, not of the greatest"),
    ("differences that cancel", {"metric": "sum"}, "positive and negative differences cancel in a plain sum; square "
     "them first"),
    ("another distance", {"metric": "absolute"}, "absolute differences were added; the exercise asks for the Euclidean "
     "distance, with squared differences"),
)


def first_fraction(values: torch.Tensor) -> float:
    """The first value that is no whole number."""
    return next(value for value in values.tolist() if value != round(value))
