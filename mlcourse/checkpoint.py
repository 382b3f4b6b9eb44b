"""Trained learners on disk: a safetensors file and a JSON card beside it. Nothing is unpickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_bytes
from torch import Tensor, nn

from mlcourse.description import describe, in_precision_of, rebuild
from mlcourse.domains.identity import from_text, to_text
from mlcourse.learner import Learner
from mlcourse.nets import answers, check_state, distance, tolerance
from mlcourse.system.files import write_atomically

VERSION = 1


def check_writable(folder: Path) -> None:
    """Raises OSError when nothing can be written to `folder`, which is made where it does not exist."""
    probe = Path(folder) / ".writable"
    write_atomically(probe, b"")
    probe.unlink()


def write_tensors(path: Path, tensors: dict[str, Tensor], meta: dict) -> None:
    """A safetensors file whose header carries `meta` as JSON and a digest of everything; written atomically."""
    write_atomically(path, _file(tensors, meta))


def _file(tensors: dict[str, Tensor], meta: dict) -> bytes:
    data = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    header = json.dumps({"meta": meta, "sha256": _digest(data, meta)})
    return save_bytes(data, {"mlcourse": header})


def _digest(tensors: dict[str, Tensor], meta: dict) -> str:
    whole = hashlib.sha256(json.dumps(meta).encode())
    for name in sorted(tensors):
        t = tensors[name]
        whole.update(f"{name} {t.dtype} {tuple(t.shape)}".encode())
        whole.update(t.flatten().view(torch.uint8).numpy())
    return whole.hexdigest()


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict]:
    """The tensors and the `meta` of `write_tensors`.

    Raises FileNotFoundError, or ValueError when the file is damaged or is no file of this course.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; give the path of a .safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            header = json.loads(file.metadata()["mlcourse"])
        meta = header["meta"]
        if header["sha256"] != _digest(tensors, meta):
            raise ValueError("its digest differs")
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged or not a file of mlcourse ({type(error).__name__}); train it again or "
                         "restore a copy") from error
    return tensors, meta


def save(path: Path, learner: nn.Module, card: dict, *, rebuilds: bool = True, pictures: Tensor | None = None,
         shape: Sequence[int] | None = None) -> None:
    """Write `path` (.safetensors) and its card (the same name with .json), each atomically.

    card: how it was trained and what it reached; the method, the settings, the network and a digest of the tensors are
    added, taken from the learner itself. pictures: the `digests` of what it was trained on, for `trained_on`.
    rebuilds=False: for a learner or a network of your own, of which the tensors alone are saved; it is loaded `into=`
    an object. shape: of a sample, where the learner is around a network of your own; what that computes is then written
    too, and loading into one that computes something else with the same tensors is refused.
    Raises ValueError, before anything is written, for a learner that could not be built anew (see `describe`), unless
    rebuilds is False, for a value that is not finite (a buffer may hold infinities), for a card that is not JSON, and
    what `nets.check_state` raises.
    """
    path, tensors = Path(path), learner.state_dict()
    if path.suffix != ".safetensors":
        raise ValueError(f"a checkpoint's name ends in .safetensors, with its card beside it as .json; got {path}")
    check_state(learner)
    described = describe(learner) if rebuilds else {"method": type(learner).__name__, "rebuilds": False}
    if broken := _broken(learner, tensors):
        raise ValueError(f"this {type(learner).__name__} holds a value that is not finite in {broken!r}; train it "
                         "again")
    meta = {"version": VERSION, **({} if pictures is None else {"pictures": to_text(pictures)})}
    data = _file(tensors, meta | computed(learner, shape))
    added = {"version": VERSION, **described}
    rest = {key: value for key, value in card.items() if key not in (*added, "rebuilds", "sha256")}
    try:
        text = json.dumps({**added, **rest, "sha256": hashlib.sha256(data).hexdigest()}, indent=1)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the card cannot be written as JSON ({error}); give it numbers, texts, lists and "
                         "dicts") from error
    write_atomically(path, data)
    write_atomically(path.with_suffix(".json"), f"{text}\n".encode())


def computed(learner: nn.Module, shape: Sequence[int] | None) -> dict:
    """What the network of a learner makes of a few samples of a shape (`nets.answers`), for `fill`, by the name
    "answers"; empty without a shape, and where the network does not say it reliably."""
    values = None if shape is None else answers(getattr(learner, "net", learner), shape)
    return {} if values is None else {"answers": {"shape": list(shape), "values": values}}


def load(path: Path, into: nn.Module | None = None) -> tuple[Learner, dict]:
    """The learner of a checkpoint, in eval mode, and its card.

    into: an object that the tensors are copied into, all or none, which is then returned in place of a new one. It may
    be of any kind that has tensors of the same names, shapes and types; what it makes of them is its own affair.
    Raises FileNotFoundError when the file or its card is missing, ValueError when either is damaged, when the tensors
    are not those of the object, or of the method and network on the card, and for a checkpoint that was saved with
    rebuilds=False where `into` is not given, and as `fill` does.
    """
    path = Path(path)
    tensors, meta = read_tensors(path)
    card = card_of(path)
    if into is None and not card.get("rebuilds", True):
        raise ValueError(f"{path} holds the tensors of a {card.get('method')}, which the course cannot build; make one "
                         "and load it with checkpoint.load(path, into=learner)")
    learner = in_precision_of(rebuild(card), tensors) if into is None else into
    if not isinstance(learner, nn.Module):
        raise ValueError(f"into= takes a learner or a network, a torch.nn.Module, got a {type(into).__name__}")
    fill(learner, tensors, path, meta.get("answers"))
    return learner.eval(), card


def trained_on(path: Path) -> Tensor | None:
    """The `digests` of the pictures that a checkpoint was trained on, int64 (M,); None where it does not say.

    Raises as `read_tensors` does."""
    _, meta = read_tensors(path)
    return from_text(meta["pictures"]) if "pictures" in meta else None


def card_of(path: Path) -> dict:
    """The card of a checkpoint. Raises FileNotFoundError where one of its two files is missing, ValueError for a
    damaged card and for one that is of another file."""
    path = Path(path)
    card_path = path.with_suffix(".json")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; give the path of a .safetensors file")
    if not card_path.is_file():
        raise FileNotFoundError(f"the card {card_path} is missing; a checkpoint is a .safetensors file and its .json")
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
        version = card["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"the card {card_path} is damaged; train again or restore a copy") from error
    if version != VERSION:
        raise ValueError(f"{card_path} has version {version!r}, this program reads version {VERSION}; update mlcourse")
    if hashlib.sha256(path.read_bytes()).hexdigest() != card.get("sha256"):
        raise ValueError(f"{path} and its card do not belong together (the digests differ); restore both from one run")
    return card


def fill(learner: nn.Module, tensors: dict[str, Tensor], path: Path, known: dict | None = None) -> None:
    """Copy tensors into a learner, all or none. known: the "answers" of `computed` that were written with them.

    Raises ValueError naming the first tensor that does not fit, and where the learner's network computes something else
    with these tensors than was written."""
    own = learner.state_dict()
    for name in sorted(own.keys() | tensors.keys()):
        if name not in tensors or name not in own:
            where = "is missing in" if name not in tensors else "is not part of this method but stands in"
            raise ValueError(f"{path} is a checkpoint of another method or network: {name!r} {where} the file")
        if own[name].shape != tensors[name].shape:
            raise ValueError(f"{path} is a checkpoint of another shape: {name!r} is {tuple(tensors[name].shape)} in "
                             f"the file, {tuple(own[name].shape)} in the learner; train or load with the same way and "
                             "width")
        if own[name].dtype != tensors[name].dtype:
            raise ValueError(f"{path} holds {name!r} as {tensors[name].dtype}, the learner as {own[name].dtype}; "
                             "convert the learner first, as with learner.double()")
    if broken := _broken(learner, tensors):
        raise ValueError(f"{path} holds a value that is not finite in {broken!r}; train it again")
    if known is not None:
        _check_answers(learner, tensors, path, known)
    learner.load_state_dict(tensors)


def _broken(learner: nn.Module, tensors: dict[str, Tensor]) -> str:
    """The first name of a tensor with a NaN, or of one that is no buffer with an infinity, as masks have; "" for none.
    """
    buffers = {name for name, _ in learner.named_buffers(remove_duplicate=False)}
    return next((name for name in sorted(tensors)
                 if not (~tensors[name].isnan() if name in buffers else tensors[name].isfinite()).all()), "")


def _check_answers(learner: nn.Module, tensors: dict[str, Tensor], path: Path, known: dict) -> None:
    net = getattr(learner, "net", learner)
    prefix = "" if net is learner else "net."
    own = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
    off = distance(known["values"], answers(net, known["shape"], own))
    if off > max(tolerance(t) for t in (torch.zeros(()), *own.values()) if t.is_floating_point()):
        how = f"its outputs are {100 * off:.3g} % off" if off < float("inf") else "its outputs are of another kind"
        raise ValueError(f"the network is not the one that {path} was trained with: with the same weights {how}; "
                         "restore its code, or train the changed network in another folder")
