"""`--help` everywhere, and one line for every bad request."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_cases import EXAMPLE, Command

COMMANDS = {
    "": "Commands",
    "run": "--set",
    "resume": "--quiet",
    "validate": "--json",
    "estimate": "--seconds",
    "kernels": "--check",
    "doctor": "--store",
    "list": "spaces",
    "catalog": "--write",
    "presets": "--json",
    "space": "--count",
    "rank": "--sample",
    "compare": "--baseline",
    "export": "--rank",
    "train": "--replicates",
    "study": "Commands",
    "study ranks": "--json",
    "study sharing": "--base",
    "study two-models": "--alpha",
    "table": "Commands",
    "table import": "--unit",
    "table list": "--json",
    "table query": "--json",
    "table stats": "--column",
    "data": "Commands",
    "data list": "--json",
    "data fetch": "cifar10",
    "data import": "--skip-unreadable",
    "data show": "--json",
    "data preview": "small pictures",
    "data delete": "--json",
    "report": "--out",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str, cli: Command) -> None:
    said = cli(*command.split(), "--help")
    assert (said.code, said.err) == (0, "")
    assert "Usage:" in said.out
    assert COMMANDS[command] in said.out


def test_every_command_has_its_help_tested(cli: Command) -> None:
    from engine.cli import app

    names = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    groups = {group.name for group in app.registered_groups}
    assert {name.split()[0] for name in COMMANDS if name} == names | groups


def test_without_a_command_the_help_is_shown(cli: Command) -> None:
    for words in ((), ("data",), ("study",), ("table",)):
        said = cli(*words)
        assert said.code == 2
        assert "Usage:" in said.out + said.err
        assert "error:" not in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("frobnicate", "No such command 'frobnicate'."),
        ("run", "Missing argument 'spec'."),
        ("run {example} --frob", "No such option: --frob"),
        ("run {example} --seed x", "Invalid value for '--seed': Input should be a valid integer"),
        ("run {example} --seed=-1", "seed: input should be greater than or equal to 0"),
        ("run {example} --device tpu", "device: input should be 'auto', 'cpu' or 'cuda'"),
        ("run {example} --set frob", "--set: write `section.field=value`; given was `frob`."),
        ("run {example} --set a.b=1", "a: there is no such field."),
        (
            "run {example} --set super_net.epoch=3",
            "super_net.epoch: there is no such field. Did you mean `epochs`?",
        ),
        ("run {example} --set super_net=3", "super_net: "),
        ("run {example} --set name.x=3", "name.x: `name` is a value, not a section."),
        ("run {example} --set data.name=cifar", "data.name: "),
        ("run {example} --set data.name=folder", "data.path: `folder` needs the path"),
        (
            "run {example} --set data.name=npz --set data.path=none.npz",
            "data.path: there is no file or folder none.npz.",
        ),
        ("run {example} --set space=nb999", "space: "),
        ("run {example} --set algorithm=frob", "algorithm: "),
        ("run {example} --set settings.frob=1", "settings.frob: "),
        ("run {example} --set search.parents=99", "search.parents: 99 parents cannot"),
        (
            "run {example} --set addons.landmark=null --set evaluation.sample=99999",
            "evaluation.sample: `nb201` has only",
        ),
        ("run {example} --set addons.landmark.min_distance=6", "addons.landmark.min_distance: 6"),
        (
            "run {example} --set evaluation.ground_truth={{source: table}}",
            "evaluation.ground_truth.table: give the path",
        ),
        ("run none.yaml", "cannot read none.yaml"),
        ("run .", "cannot read ."),
        ("run empty.yaml", "an experiment file is a list of `field: value` lines."),
        ("run broken.yaml", "this is not valid YAML"),
        ("run {example} --runs empty.yaml", "Cannot make the run folder"),
        ("resume .", ". is not a run folder."),
        ("validate none.yaml", "cannot read none.yaml"),
        ("list", "Missing argument 'kind'. Choose from: spaces, algorithms"),
        ("list frobs", "Invalid value for 'kind': 'frobs' is not one of 'spaces'"),
        ("presets frob", "presets: there is no `frob`; there are nb201_"),
        ("space frob size", "space: there is no"),
        ("space nb201 frob", "action: there is no `frob`; use one of sample, size"),
        ("space nb201 cost", "text: `space nb201 cost` needs an architecture."),
        ("space nb201 parse |frob~0|", "A NAS-Bench-201 string has 3 groups"),
        ("space nb201 sample --count 0", "Invalid value for '--count'"),
        ("rank .", ". is not a run folder."),
        ("compare .", ". is not a run folder."),
        ("compare . --to gif", "--to: there is no format `gif`"),
        ("compare", "Missing argument"),
        ("export none --to json", "There is no run folder none."),
        ("export . --to gif", "Invalid value for '--to': 'gif' is not one of 'python'"),
        ("export . --to json --rank 0", "Invalid value for '--rank'"),
        ("study ranks .", ". is not a run folder."),
        ("study sharing . --most 1", "Invalid value for '--most'"),
        ("data fetch frob", "data.name: `frob` cannot be downloaded"),
        (
            "run {example} --set evaluation.ground_truth={{source: table, table: frob}}",
            "evaluation.ground_truth.table: there is no imported table `frob`",
        ),
        ("table import frob empty.yaml", "There is no kind of table `frob`; there are csv, nb201"),
        ("table import csv none.csv", "There is no file or folder none.csv."),
        ("table import csv empty.yaml", "--space: say whose architectures"),
        ("table import csv empty.yaml --space frob", "space: there is no"),
        ("table import csv empty.yaml --space nb201 --unit frob", "--unit: accuracies are"),
        ("table import nats_tss empty.yaml", "empty.yaml was not read: it begins neither"),
        ("table import nats_tss . --name a/b", "--name: a table's name has"),
        ("table query frob x", "There is no imported table `frob`; there are: "),
        ("table stats frob", "There is no imported table `frob`; there are: "),
    ],
)
def test_a_bad_request_is_one_line(words: str, message: str, cli: Command) -> None:
    Path("empty.yaml").write_text("")
    Path("broken.yaml").write_text("a: [1,\nb: }")
    inside = re.sub(r"{{.*}}", lambda found: found[0].replace(" ", "\xa0"), words)
    parts = inside.split(" ")
    given = [part.replace("\xa0", " ").format(example=EXAMPLE) for part in parts]
    assert cli(*given).refused().startswith(message)
    assert not Path("runs").exists(), "a refused experiment leaves no run"
