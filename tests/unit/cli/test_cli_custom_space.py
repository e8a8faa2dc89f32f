"""`space custom` on files, settings of other spaces, and lines in what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cli_cases import ROOT, Command

from engine.spaces import get_space

FOLDER = ROOT / "examples" / "spaces"
BAD = "kind: cell\nnodes: [in, out]\nedges:\n  in->out: [none, nor_conv_4x4]\n"


@pytest.mark.parametrize("kind", ["cell", "chain", "sizes"])
def test_a_definition_is_counted_sampled_costed_and_drawn(
    kind: str, cli: Command, tmp_path: Path
) -> None:
    path = FOLDER / f"{kind}.yaml"
    space = get_space("custom", yaml.safe_load(path.read_text()))
    assert cli("space", "custom", "--file", path, "size").out == f"{space.size}\n"
    sampled = cli("space", "custom", "sample", "--count=3", "--seed=5", "--file", path)
    texts = sampled.out.splitlines()
    assert len(texts) == 3
    for text in texts:
        parsed = json.loads(cli("space", "custom", "--file", path, "parse", text, "--json").out)
        assert parsed["text"] == text
        assert parsed["canonical"].startswith(space.digest)  # type: ignore[attr-defined]
        cost = json.loads(cli("space", "custom", "--file", path, "cost", text, "--json").out)
        assert cost["params"] > 0
    whole = cli("space", "custom", "--file", path, "draw").out
    one = cli("space", "custom", "--file", path, "draw", texts[0]).out
    assert whole.startswith("<svg") and one.startswith("<svg")
    assert len(whole) > len(one)
    out = tmp_path / "drawn.dot"
    assert cli("space", "custom", "--file", path, "draw", "--out", out).code == 0
    assert out.read_text().startswith("digraph")


def test_settings_can_be_given_one_by_one_and_with_an_experiment(
    cli: Command, tmp_path: Path
) -> None:
    path = FOLDER / "cell.yaml"
    smaller = "--set=operations=[skip_connect, nor_conv_3x3]"
    assert cli("space", "custom", "size", "--file", path, smaller).out == "48\n"
    experiment = ROOT / "examples" / "own_space_digits.yaml"
    assert cli("space", "custom", "size", "--spec", experiment).out == "192\n"
    # Its space is another one, so that only its network is meant.
    assert cli("space", "nb201", "size", "--spec", experiment).out == "15625\n"


def test_what_is_settled_by_the_definition_is_costed(cli: Command) -> None:
    """The chain has 16 channels in its stem, whatever the experiment says."""
    text = "nor_conv_3x3, nor_conv_3x3, nor_conv_3x3, nor_conv_3x3, nor_conv_3x3, nor_conv_3x3"
    args = ("space", "custom", "--file", FOLDER / "chain.yaml", "cost", f"{text}, skip_connect")
    # Stem, two blocks of 16, one to 32, two of 32, one to 64; two norms and the classifier.
    convs = 9 * (3 * 16 + 2 * 16 * 16 + 16 * 32 + 2 * 32 * 32 + 32 * 64)
    norms = 2 * (16 + 16 + 16 + 32 + 32 + 32 + 64 + 64)
    assert cli(*args).out.startswith(f"{convs + norms + 65 * 10:,} parameters")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("size --file bad.yaml", "edges.in->out.1: line 4: there is no operation `nor_conv_4x4`."),
        ("size --file gone.yaml", "cannot read gone.yaml"),
        ("size --set kind=cel", "kind: give the kind of the space, one of cell, chain, sizes"),
        ("draw x", "`x` is no edge with its operation, such as `in->mid: skip_connect`"),
        ("cost", "text: `space custom cost` needs an architecture."),
    ],
)
def test_a_bad_definition_is_one_line(
    words: str, message: str, cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text(BAD)
    assert cli("space", "custom", *words.split()).refused().startswith(message)


def test_other_spaces_have_no_drawing_of_all_choices_and_say_so(cli: Command) -> None:
    said = cli("space", "nb201", "draw").refused()
    assert said == "text: `space nb201 draw` needs an architecture."
    said = cli("space", "nb201", "size", "--set", "zzz=5").refused()
    assert said.startswith("zzz: Extra inputs are not permitted; settings of `nb201` are")


def test_validate_names_the_line_of_a_fault_in_either_file(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text(BAD)
    Path("named.yaml").write_text("space: custom\nspace_settings: {file: bad.yaml}\n")
    field = "space_settings.edges.in->out.1"
    said = cli("validate", "named.yaml")
    assert f"error: {field}: line 4 of bad.yaml: there is no operation" in said.err
    inline = "".join(f"  {line}\n" for line in BAD.splitlines())
    Path("inline.yaml").write_text(f"space: custom\nspace_settings:\n{inline}")
    found = json.loads(cli("validate", "inline.yaml", "--json").out)
    assert (found["problems"][0]["field"], found["valid"]) == (field, False)
    assert found["problems"][0]["problem"].startswith("line 6: there is no operation")
    assert cli("run", "inline.yaml").refused().startswith(f"{field}: line 6: ")
    # A field that `--set` changed has no line in the file.
    said = cli("validate", "inline.yaml", "--set", "space_settings.edges={in->out: zzz}")
    assert ": there is no operation `zzz`" in said.err and "line" not in said.err
