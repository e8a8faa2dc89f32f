"""`study ranks|sharing|two-models`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from engine.lab_folders import data_folder
from engine.runs import RunFolder
from engine.spec.data import DataSpec
from engine.spec.errors import RunError

study = typer.Typer(
    help="Studies: of a run's super-net after the fact, of forgetting.", no_args_is_help=True
)

RunDir = Annotated[Path, typer.Argument(help="Run folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Out = Annotated[Path | None, typer.Option(help="CSV file to write, one line per architecture.")]


def register(app: typer.Typer) -> None:
    """Add the group of this file."""
    app.add_typer(study, name="study")


@study.command()
def ranks(run_dir: RunDir, json_: Json = False, out: Out = None) -> None:
    """Rank change while training and rank disorder, from evaluation to evaluation."""
    from engine.study.ranks import study_ranks, write_ranks

    found = study_ranks(_open(run_dir))
    if out is not None:
        print(write_ranks(out, found))
    elif json_:
        print(json.dumps(found.to_json(), indent=1))
    else:
        print("epoch\tS-KdT\tKdT\tdisorder\tchange\tKdT to before\tKdT to last")
        for one in found.evaluations:
            numbers = (
                one.sparse_kendall_tau,
                one.kendall_tau,
                one.disorder,
                one.change,
                one.tau_before,
                one.tau_last,
            )
            print(one.epoch, *map(_number, numbers), sep="\t")


@study.command()
def sharing(
    run_dir: RunDir,
    json_: Json = False,
    out: Out = None,
    base: Annotated[
        str | None, typer.Option(help="Architecture that fixes all nodes but the last.")
    ] = None,
    every_input: Annotated[
        bool, typer.Option("--every-input", help="Let the last node have several inputs, too.")
    ] = False,
    most: Annotated[int, typer.Option(help="Most architectures to look at.", min=2)] = 100,
) -> None:
    """Kendall tau by amount of sharing; trains ground truth that is missing."""
    from engine.study.sharing import study_sharing, write_sharing

    found = study_sharing(_open(run_dir), base, every_input, most)
    if out is not None:
        print(write_sharing(out, found))
    elif json_:
        print(json.dumps(found.to_json(), indent=1))
    else:
        print(f"fixed by {found.base}; node {found.node} varies: {', '.join(found.free)}")
        print("shared\tn\tKdT\ttruth (%)\tsuper-net (%)\ttrue rank\trank")
        for one in found.groups:
            numbers = (one.kendall_tau, one.truth, one.score, one.true_rank, one.rank)
            print(one.group, one.n, *map(_number, numbers), sep="\t")
        print("all", len(found.texts), _number(found.kendall_tau), sep="\t")


@study.command("two-models")
def two_models(
    data: Annotated[str, typer.Option(help="Data set.")] = "digits",
    path: Annotated[str | None, typer.Option(help="Its images, where it needs a path.")] = None,
    epochs_a: Annotated[
        int, typer.Option(help="Epochs of model A; few for loose convergence.", min=1)
    ] = 30,
    epochs_b: Annotated[int, typer.Option(help="Epochs of model B.", min=1)] = 20,
    alpha: Annotated[float, typer.Option(help="Weight of the plasticity loss.", min=0)] = 1e3,
    learning_rate: Annotated[float, typer.Option(help="Of plain SGD.", min=0)] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed.", min=0)] = 0,
    json_: Json = False,
) -> None:
    """Train a model, then one that shares its layers: what the first forgets with and without
    the weight plasticity loss."""
    from engine.datasets import prepare
    from engine.datasets.batches import DeviceImages
    from engine.materials import PARTS
    from engine.study.two_models import run_two_models

    spec = DataSpec(name=data, path=path)
    images = prepare(spec, data_folder() / "datasets")
    parts = {
        part: DeviceImages.from_prepared(images, part, spec.augmentation, "cpu") for part in PARTS
    }
    found = run_two_models(
        parts,
        len(images.classes),
        epochs_a=epochs_a,
        epochs_b=epochs_b,
        alpha=alpha,
        learning_rate=learning_rate,
        seed=seed,
    )
    if json_:
        print(json.dumps(found.to_json(), indent=1))
        return
    print(f"A before B is trained: {found.before:.2f} %")
    print("\tA (%)\tB (%)")
    print("without", f"{found.a_plain[-1]:.2f}", f"{found.b_plain[-1]:.2f}", sep="\t")
    print("with", f"{found.a_plastic[-1]:.2f}", f"{found.b_plastic[-1]:.2f}", sep="\t")
    print(f"share of the forgetting that is avoided: {_number(found.reduction)}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _open(path: Path) -> RunFolder:
    folder = RunFolder(path)
    if not folder.exists():
        raise RunError(f"{path} is not a run folder.")
    return folder
