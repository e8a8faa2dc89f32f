"""What each section of the form holds, in a few words, for when it is folded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import client
from app.widgets import numbers
from app.widgets.parts import recipe_part
from app.widgets.schema import at

Value = Mapping[str, Any]


def data(value: Value) -> str:
    """Name the data set and how much of it is used."""
    images = at(value, "data.train_images")
    count = f"{numbers.count(images)} training images" if images else "all training images"
    return f"{client.title('datasets', str(at(value, 'data.name')))}, {count}"


def space(value: Value) -> str:
    """Name the space and the size of its skeleton."""
    network = value["network"]
    name = client.title("spaces", value["space"])
    return f"{name}, {network['channels']} channels, {network['cells']} cells"


def algorithm(value: Value) -> str:
    """Name the algorithm and the effort of its search."""
    part = value["search"]
    name = client.title("algorithms", value["algorithm"])
    return f"{name}, {part['generations']} × {part['population']} evaluated"


def search(algorithm: str) -> str:
    """Say who searches after an algorithm's training, where that needs words."""
    return {
        "derived": "What was learned points at the result; generations and population are those "
        "of random search beside it.",
        "drawn": "Architectures are drawn from what was learned, the best of them counts; random "
        "search beside it gets as many.",
        "random": "Random architectures are compared by super-net accuracy.",
    }.get(recipe_part(algorithm).searcher, "")


def addons(value: Value) -> str:
    """Say which add-ons are on."""
    said = []
    landmark = at(value, "addons.landmark")
    if landmark is not None:
        per_round, rounds, weight = (landmark[n] for n in ("per_round", "rounds", "weight"))
        said.append(f"{per_round} landmarks in {rounds} rounds, λ {weight}")
    others = [name for name, part in value["addons"].items() if part and name != "landmark"]
    return ", ".join([*said, *others]) or "none"


def super_net(value: Value) -> str:
    """Give batch size and learning rate."""
    part = value["super_net"]
    return f"batch {part['batch_size']}, learning rate {part['optimiser']['learning_rate']}"


def evaluation(value: Value) -> str:
    """Give the sample, how often it is scored, and where its truth comes from."""
    part = value["evaluation"]
    truth = "trained" if part["ground_truth"]["source"] == "train" else "from a table"
    return f"{part['sample']} architectures every {part['every']} epochs, truth {truth}"


def budget(value: Value) -> str:
    """Give epochs, seed and device."""
    return f"{value['super_net']['epochs']} epochs, seed {value['seed']}, device {value['device']}"
