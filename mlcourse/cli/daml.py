"""`mlcourse study daml`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mlcourse.cli.output import Keep, Out
from mlcourse.cli.pairs import DataDir, command_line, output_files, save_as_measured


def daml_command(
    source: Annotated[list[str], typer.Option(help="A labelled domain, such as glyphs-digits, mnist, folder:PATH or "
                                                   "array:FILE.npz; repeat it for several.")],
    target: Annotated[str, typer.Option(help="The domain to imitate, named in the same way.")],
    out: Out = None,
    keep: Keep = False,
    plot: Annotated[Path | None, typer.Option(help="The picture to write, a PNG; generated samples go beside it.  "
                                              r"\[default: beside the rows]")] = None,
    arm: Annotated[list[str] | None, typer.Option(help=r"Repeat it for several.  \[default: all]")] = None,
    k: Annotated[list[int] | None, typer.Option(min=0, help="Labels per class; repeat it for several.  "
                                                r"\[default: 0, 1, 3, 5, 10]")] = None,
    seed: Annotated[list[int] | None, typer.Option(min=0, help=r"Repeat it for several.  \[default: 0 to 4]")] = None,
    data_dir: DataDir = None,
) -> None:
    """Lesson 14: a generator that imitates the target inside meta-learning, against everything that could explain its
    gain.

    Source alone; source and generated pictures; source and hand-made ones; meta-learning on real pictures alone; MLDG;
    DAML; the same with hand-made pictures, and with shuffled labels, in place of generated ones; the target's own
    labels; and DAML and its hand-made twin fine-tuned as the classifiers are, not at their learnt rates.
    0, 1, 3, 5 and 10 labels per class, 20 draws of them within each of five seeds, 95 % intervals paired by seed; and
    of every generator its PAD to the target by two discriminators, label fidelity, diversity and memorisation. 16×16
    pictures; classes match by name. Where the target is a shift of the source, half the pictures go to either side.
    About five minutes for each seed on one core. Ctrl-C keeps what is measured; the same command goes on from there.

    [bold]Examples[/bold]

      mlcourse study daml --source glyphs-digits --target digits

      mlcourse study daml --source glyphs-digits --target glyphs-digits@stroke=1 --seed 0 --out mine.json
    """
    from mlcourse import datasets, rows as results
    from mlcourse.datasets.notes import say
    from mlcourse.lessons.l14_daml import study_daml as study
    from mlcourse.system.machine import keep_freed_memory

    keep_freed_memory()
    rows_file, picture = output_files("daml", source, target, out, keep, plot)
    chosen = list(dict.fromkeys(arm or study.ARMS))
    for name in chosen:
        if name not in study.ARMS:
            raise ValueError(f"unknown arm {name!r}; the arms are {', '.join(study.ARMS)}")
    seeds, ks = list(dict.fromkeys(seed or range(5))), sorted(set(k or study.KS))
    *sources, goal = domains = [datasets.load(spec, data_dir) for spec in (*source, target)]
    split, dev = study.prepare(sources, goal, ks)
    say((*source, target), domains)
    print(f"{split.source.name} → {target}: {len(split.source.images):,} labelled source pictures; of the target "
          f"{len(split.train.images):,} pictures for the discriminator, {len(dev.images):,} to judge the generator on, "
          f"and {len(split.test.images):,} for the accuracies. {split.matching}".rstrip(), flush=True)
    _measure(split, dev, chosen, seeds, command_line("daml", source, target), rows_file, picture)
    found = study.of(results.read(rows_file), split.source.name, split.train.name.removesuffix("/train"))
    _report(found, chosen, ks, seeds, picture)
    print(f"rows in {rows_file}, drawn in {picture}")


def _measure(split, dev, chosen: Sequence[str], seeds: Sequence[int], command: str, rows_file: Path,
             picture: Path) -> None:
    """Save the rows of every arm and seed as soon as they are measured, with a bar."""
    from tqdm import tqdm

    from mlcourse import rows as results
    from mlcourse.lessons.l14_daml import study_daml as study
    from mlcourse.lessons.l14_daml.figures_study import samples
    from mlcourse.system.files import write_atomically
    from mlcourse.system.machine import one_core

    kept = results.read(rows_file) if rows_file.exists() else []

    def sheet(world) -> None:
        """The samples of the first generator that is measured, beside the picture."""
        path = picture.with_name(f"{picture.stem}-samples.png")
        if not path.exists():
            drawn = samples(world.bases, world.generated[0], world.setting.train)
            write_atomically(path, drawn.png)

    with one_core(), tqdm(total=study.steps(seeds), unit="step") as bar:
        measured = study.rows(split, dev, chosen, seeds, kept, command, bar.update, sheet)
        save_as_measured(measured, study.KEY, rows_file, bar)


def _report(found: list[dict], chosen: Sequence[str], ks: Sequence[int], seeds: Sequence[int], picture: Path) -> None:
    """The table, the generator's marks and the picture."""
    from rich.console import Console
    from rich.table import Table

    from mlcourse import rows as results
    from mlcourse.lessons.l14_daml import study_daml as study
    from mlcourse.lessons.l14_daml.figures_study import accuracies
    from mlcourse.statistics import cell
    from mlcourse.system.files import write_atomically

    found = [row for row in found if row["seed"] in seeds]
    table = Table(box=None, pad_edge=False)
    for column in ("accuracy, %", *(f"k = {k}" for k in ks)):
        table.add_column(column, justify="left" if column.startswith("acc") else "right")
    for name in chosen:
        table.add_row(name, *(cell(results.by_seed(found, name, k).values()) for k in ks))
    Console(width=max(100, 16 * (len(ks) + 2))).print(table)
    for mark, what in (("pad_source", "PAD source-target"), ("pad_generated", "PAD generated-target"),
                       ("pad_floor", "PAD target-target")):
        said = (f"{kind} {cell(results.by_seed(found, 'generator', 0, f'{mark}_{kind}').values(), 2)}"
                for kind in study.DISCRIMINATORS)
        print(f"{what:22s}" + "   ".join(said))
    for mark, what in (("acceptance", "accepted, %"), ("label_fidelity", "label fidelity, %"),
                       ("train_on_generated", "trained on generated, %"), ("diversity", "diversity"),
                       ("nearest_generated", "nearest, generated"), ("nearest_test", "nearest, test")):
        print(f"{what:24s}{cell(results.by_seed(found, 'generator', 0, mark).values(), 2)}")
    drawn = accuracies(found, [name for name in chosen if results.by_seed(found, name, max(ks))], ks)
    write_atomically(picture, drawn.png)
