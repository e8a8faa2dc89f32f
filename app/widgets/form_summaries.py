"""What each section of the form holds, in a few words, for when it is folded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import client
from app.widgets import numbers
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
    search = value["search"]
    name = client.title("algorithms", value["algorithm"])
    return f"{name}, {search['generations']} × {search['population']} evaluated"


def addons(value: Value) -> str:
    """Say which add-ons are on."""
    landmark = at(value, "addons.landmark")
    if landmark is None:
        return "none"
    per_round, rounds, weight = (landmark[n] for n in ("per_round", "rounds", "weight"))
    return f"{per_round} landmarks in {rounds} rounds, λ {weight}"


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
