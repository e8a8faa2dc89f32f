"""What a protocol of the results bank stands for, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import client
from app.widgets import numbers

UNKNOWN = "its settings are not on record"


def words(protocol: str, content: Mapping[str, Any] | None) -> str:
    """Return one line about a protocol.

    Args:
        protocol: its hash.
        content: sections `data`, `network` and `training`; None where nothing is on record.
    """
    if content is None:
        return f"Protocol {protocol[:16]}: {UNKNOWN}"
    data, network, training = (content[name] for name in ("data", "network", "training"))
    images = numbers.count(data.get("train_images"))
    title = client.title("datasets", str(data.get("name")))
    return (
        f"{title}, {images} training images, {training.get('epochs')} epochs of batch "
        f"{training.get('batch_size')}, {network.get('channels')} channels, "
        f"{count(network.get('cells'), 'cell')}"
    )


def details(protocol: str, content: Mapping[str, Any] | None) -> dict[str, object]:
    """Return names and values of a protocol."""
    found: dict[str, object] = {"Protocol": protocol}
    if content is None:
        return found | {"Settings": UNKNOWN}
    data, network, training = (content[name] for name in ("data", "network", "training"))
    optimiser = training.get("optimiser") or {}
    parts = (data.get(f"{part}_images") for part in ("train", "held_out", "test"))
    changes = {k: v for k, v in (data.get("augmentation") or {}).items() if v}
    side = data.get("resolution")
    return found | {
        "Data": client.title("datasets", str(data.get("name"))),
        "Training, held-out, test images": ", ".join(numbers.count(part) for part in parts),
        "Images": f"{side} × {side}, {data.get('classes')} classes",
        "Changes to training images": _pairs(changes) or "none",
        "Skeleton": f"{network.get('channels')} channels, {count(network.get('cells'), 'cell')}",
        "Training": f"{training.get('epochs')} epochs, batch {training.get('batch_size')}",
        "Optimiser": _pairs(optimiser),
    }


def count(number: float | None, word: str) -> str:
    """Return a number of things in words."""
    return f"{numbers.count(number)} {word}{'' if number == 1 else 's'}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(
        name.replace("_", " ") if value is True else f"{name.replace('_', ' ')} {value}"
        for name, value in values.items()
        if value not in (None, False)
    )
