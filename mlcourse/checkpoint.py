"""Trained learners on disk: a safetensors file and a JSON card beside it. Nothing is unpickled."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_bytes
from torch import Tensor

from mlcourse.learner import Learner
from mlcourse.learners import method
from mlcourse.nets import build_net
from mlcourse.system.files import write_atomically

VERSION = 1


def check_writable(folder: Path) -> None:
    """Raises OSError when nothing can be written to `folder`, which is made where it does not exist."""
    probe = Path(folder) / ".writable"
    write_atomically(probe, b"")
    probe.unlink()


def write_tensors(path: Path, tensors: dict[str, Tensor], meta: dict) -> None:
    """A safetensors file whose header carries `meta` as JSON and a digest of everything; written atomically."""
    data = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    header = json.dumps({"meta": meta, "sha256": _digest(data, meta)})
    write_atomically(path, save_bytes(data, {"mlcourse": header}))


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


def describe(name: str, learner: Learner) -> dict:
    """What is needed to build the learner anew: method, settings, and the network unless the method makes its own."""
    return {"method": name, "settings": learner.config,
            "net": learner.net.config if method(name).net else None}


def rebuild(description: dict) -> Learner:
    """The untrained learner of `describe`. Raises ValueError for an unknown method, setting or network."""
    try:
        kind = method(description["method"]).kind
        net = () if description["net"] is None else (build_net(description["net"]),)
        return kind(*net, **description["settings"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"the card does not describe a learner ({error}); was it made by another version?") from error


def save(path: Path, name: str, learner: Learner, card: dict) -> None:
    """Write `path` (.safetensors) and its card (the same name with .json), each atomically.

    name: the method's name. card: how it was trained and what it reached; the method, the settings and a digest of
    the tensors are added. Raises ValueError for a method that no checkpoint can be loaded of.
    """
    path, described = Path(path), describe(name, learner)
    write_tensors(path, learner.state_dict(), {"version": VERSION})
    card = {"version": VERSION, **described, **card,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    write_atomically(path.with_suffix(".json"), (json.dumps(card, indent=1) + "\n").encode())


def load(path: Path) -> tuple[Learner, dict]:
    """The learner of a checkpoint, in eval mode, and its card.

    Raises FileNotFoundError when the file or its card is missing, ValueError when either is damaged, or when the
    tensors are not those of the method and network on the card.
    """
    path = Path(path)
    tensors, _ = read_tensors(path)
    card_path = path.with_suffix(".json")
    if not card_path.is_file():
        raise FileNotFoundError(f"the card {card_path} is missing; a checkpoint is a .safetensors file and its .json")
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
        version = card["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"the card {card_path} is damaged; train again or restore a copy") from error
    if version != VERSION:
        raise ValueError(f"{card_path} has version {version}, this program reads version {VERSION}; update mlcourse")
    learner = rebuild(card)
    fill(learner, tensors, path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != card.get("sha256"):
        raise ValueError(f"{path} and its card do not belong together (the digests differ); restore both from one run")
    return learner.eval(), card


def fill(learner: Learner, tensors: dict[str, Tensor], path: Path) -> None:
    """Copy tensors into a learner, all or none. Raises ValueError naming the first that does not fit."""
    own = learner.state_dict()
    for name in sorted(own.keys() | tensors.keys()):
        if name not in tensors or name not in own:
            where = "is missing in" if name not in tensors else "is not part of this method but stands in"
            raise ValueError(f"{path} is a checkpoint of another method or network: {name!r} {where} the file")
        if own[name].shape != tensors[name].shape:
            raise ValueError(f"{path} is a checkpoint of another shape: {name!r} is {tuple(tensors[name].shape)} in "
                             f"the file, {tuple(own[name].shape)} in the learner; train or load with the same way and "
                             "width")
        if not torch.isfinite(tensors[name]).all():
            raise ValueError(f"{path} holds a value that is not finite in {name!r}; train it again")
    learner.load_state_dict(tensors)
