"""`mlcourse train` and `mlcourse evaluate`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mlcourse.cli.output import SEEDS, Json, as_json_text

Domain = Annotated[str, typer.Option(help="sinusoids, omniglot-runs, {DOMAINS}")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help=r"Look here for data.  \[default: MLCOURSE_DATA]")]

Net = Annotated[str | None, typer.Option(help="conv4 or resnet12; of words gru or transformer; or module:attr, a "
                                         r"callable of your own that makes one.  \[default: conv4; of words gru]")]
Width = Annotated[int | None, typer.Option(min=1, help="Filters of the first layer, or features of a sequence.  "
                                           r"\[default: the network's own]")]
Side = Annotated[int, typer.Option(help="Side of the pictures in pixels.")]
Colour = Annotated[bool, typer.Option("--colour", help="Three channels as they are, not grey with the ink high.")]
SplitBy = Annotated[str | None, typer.Option(help=r"Hold out test classes by group (script, alphabet, folder of "
                                             r"classes), by class, or none: cross-validate.  \[default: as the data "
                                             "set says, else the first of these that can fill an episode]")]
CheckEngine = Annotated[bool, typer.Option("--check-engine", help="Compare each phase's first step with a loop over "
                                           "its tasks.")]
Compile = Annotated[bool, typer.Option("--compile", help="Through torch.compile, where there is a C++ compiler and the "
                                       "run is long enough to pay.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or mps.")]


def train_command(
    method: Annotated[str, typer.Argument(help="{METHODS}")],
    domain: Domain = "glyphs",
    way: Annotated[int | None, typer.Option(help=r"Classes of a test episode.  \[default: 5]")] = None,
    shot: Annotated[int, typer.Option(help="Support samples per class (of a sinusoid: points).")] = 1,
    query: Annotated[int | None, typer.Option(help=r"Query samples per class.  \[default: 15]")] = None,
    steps: Annotated[int | None, typer.Option(help=r"Outer steps.  \[default: the method's]")] = None,
    inner_rate: Annotated[float | None, typer.Option(help=r"Inner learning rate α.  \[default: the method's]")] = None,
    outer_rate: Annotated[float | None, typer.Option(help=r"Outer learning rate β.  \[default: the method's]")] = None,
    net: Net = None,
    norm: Annotated[str, typer.Option(help="batch (transductive), support, running, layer or none.")] = "batch",
    width: Width = None,
    side: Side = 28,
    colour: Colour = False,
    split_by: SplitBy = None,
    device: Device = "cpu",
    seed: Annotated[int, typer.Option(**SEEDS, help="Seed of the weights and of the training episodes.")] = 0,
    episodes: Annotated[int | None, typer.Option(min=2, help=r"Fixed test episodes.  \[default: 600]")] = None,
    folder: Annotated[Path | None, typer.Option(help=r"The folder to write to.  \[default: runs/ and the job]")] = None,
    check_engine: CheckEngine = False,
    compile: Compile = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Meta-train a method on a domain, save a checkpoint and report its test accuracy.

    Ctrl-C keeps what was trained: the same command again goes on from there, and gives the numbers of a run that was
    never interrupted. Test classes are ones that training never saw; where there are too few to hold out, the number is
    cross-validated, and the checkpoint trained on all. The domain omniglot-runs trains on Omniglot for its one-shot
    runs, 20-way within one alphabet, and reports on them.

    [bold]Examples[/bold]

      mlcourse train maml --domain omniglot --way 5 --shot 1

      mlcourse train protonet --domain omniglot-runs

      mlcourse train protonet --domain folder:my_pictures --shot 5 --query 5

      mlcourse train protonet --domain folder:my_pictures --side 224 --colour --net my_nets:backbone

      mlcourse train maml --domain sinusoids --shot 10
    """
    from mlcourse import runs
    from mlcourse.system.machine import keep_freed_memory, limit_threads
    from mlcourse.train import Interrupted

    keep_freed_memory()
    limit_threads()
    job = runs.Job(method, domain, way, shot, query, steps, inner_rate, outer_rate, norm, seed, episodes, net, width,
                   side, colour, split_by, device)
    folder = folder or Path("runs") / job.name()
    try:
        result, model = runs.run_training(job, folder, data_dir, check_engine=check_engine, compile=compile)
    except Interrupted as interrupt:
        print(f"mlcourse: {interrupt}; the same command goes on from there", file=sys.stderr)
        raise typer.Exit(130) from None
    _report(result, as_json, checkpoint=str(model))
    if not as_json:
        print(f"checkpoint: {model}")


def evaluate_command(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="A model.safetensors that train wrote.")],
    domain: Domain = "glyphs",
    way: Annotated[int | None, typer.Option(help=r"\[default: that of the training]")] = None,
    shot: Annotated[int | None, typer.Option(help=r"\[default: that of the training]")] = None,
    query: Annotated[int | None, typer.Option(help=r"\[default: that of the training]")] = None,
    steps: Annotated[int | None, typer.Option(help=r"Inner steps.  \[default: the method's]")] = None,
    split: Annotated[str | None, typer.Option(help=r"train, val, test or all.  \[default: test where the domain has "
                                                   "named splits or shares pictures with the training, else all; "
                                                   "without the classes that were trained on]")] = None,
    episodes: Annotated[int | None, typer.Option(min=2, help=r"How many fixed episodes.  \[default: 600]")] = None,
    seed: Annotated[int | None, typer.Option(**SEEDS, help="Seed of the episodes.  [default: that of train]")] = None,
    net: Annotated[str | None, typer.Option(metavar="MODULE:ATTR", help="The network of your own that it was trained "
                                            "with.")] = None,
    device: Device = "cpu",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Evaluate a checkpoint on any domain, on episodes that a seed fixes.

    The domain omniglot-runs is Omniglot's twenty one-shot runs, 20-way within one alphabet: the official ones where
    their archive is here, else runs built from test alphabets. The result says which, with the error of a baseline.

    On the data it was trained on this repeats the reported number exactly, whatever path leads there. Classes that were
    trained on are left out; where a split is asked for, the result says how many there are.

    [bold]Examples[/bold]

      mlcourse evaluate runs/maml-omniglot-5w1s-batch-seed0/model.safetensors --domain omniglot

      mlcourse evaluate runs/maml-omniglot-5w1s-batch-seed0/model.safetensors --domain omniglot-evaluation

      mlcourse evaluate runs/protonet-omniglot-5w1s-batch-seed0/model.safetensors --domain omniglot-runs

      mlcourse evaluate runs/maml-omniglot-5w1s-batch-seed0/model.safetensors --domain glyphs@rotation=0.5 --json
    """
    from mlcourse.assess import EVALUATION_SEED, run_evaluation
    from mlcourse.system.machine import keep_freed_memory, limit_threads

    keep_freed_memory()
    limit_threads()
    result = run_evaluation(checkpoint, domain, way=way, shot=shot, query=query, steps=steps, split=split,
                                 episodes=episodes, seed=EVALUATION_SEED if seed is None else seed,
                                 data_dir=data_dir, net=net, on=device)
    _report(result, as_json)


def _report(result, as_json: bool, **more) -> None:
    print(as_json_text(asdict(result) | more) if as_json else result)
