"""What `test_every_combination` holds of registered spaces, for a definition of each kind.

Recipes are enumerated: they run with a user's space, or say why not.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from test_every_combination import build, nothing, tiny_spec, trains_and_resumes

from engine.compose import check
from engine.recipes import RECIPES
from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "spaces"
KINDS = ("cell", "chain", "sizes")
MUST_RUN = {
    *((kind, recipe) for kind in ("cell", "chain") for recipe in ("spos", "fairnas", "darts")),
    ("sizes", "spos"),
    ("sizes", "rsps"),
}
RESUMED = [("cell", "darts"), ("chain", "spos"), ("chain", "fairnas"), ("sizes", "spos")]


def spec_of(kind: str, recipe: str, addons: str = "") -> ExperimentSpec:
    definition = yaml.safe_load((FOLDER / f"{kind}.yaml").read_text())
    return tiny_spec("custom", recipe, addons).model_copy(update={"space_settings": definition})


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("recipe", RECIPES.names())
@pytest.mark.parametrize("kind", KINDS)
def test_a_recipe_takes_a_step_or_is_refused(kind: str, recipe: str, tmp_path: Path) -> None:
    spec = spec_of(kind, recipe)
    faults = check(spec)
    if faults:
        assert (kind, recipe) not in MUST_RUN, str(faults[0])
        assert all(fault.field and str(fault).endswith(".") for fault in faults)
        with pytest.raises(SpecError):
            build(spec, tmp_path)
        return
    report = build(spec, tmp_path).trainer.run_epoch(nothing)
    assert report.loss > 0


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("kind", "recipe"), RESUMED)
def test_it_trains_and_resumes(kind: str, recipe: str, tmp_path: Path) -> None:
    trains_and_resumes(spec_of(kind, recipe, "landmark"), tmp_path)
