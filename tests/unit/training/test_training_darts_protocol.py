"""DARTS's stand-alone protocol: auxiliary loss, drop-path, sizes of its own; what rows hang on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional as F
from training_cases import PLAIN, copied, images, network

from engine.core.architecture import Architecture
from engine.networks import Route, SuperNet, build_stand_alone
from engine.spaces import get_space
from engine.spec.network import NetworkSpec, NormSpec
from engine.spec.training import StandAloneSpec
from engine.tasks import classification
from engine.training import stand_alone
from engine.training.stand_alone import StandAloneTrainer, pack_weights, protocol_key

SPACE = get_space("darts")
SKELETON = network().model_copy(update={"cells": 5})
# Both cells read the cell before the last only: of five layers, 1 and 3 serve nobody, but the
# auxiliary head hangs behind layer 3.
_CELL = [("skip_connect", 0), ("none", 1), ("dil_conv_3x3", 2), ("none", 1)]
_CELL += [("avg_pool_3x3", 0), ("none", 1)] * 2
ONE = SPACE.parse(
    f"Genotype(normal={_CELL}, normal_concat=range(2, 6), reduce={_CELL}, "
    "reduce_concat=range(2, 6))"
)


def made(skeleton: NetworkSpec = SKELETON, **spec: Any) -> StandAloneTrainer:
    parts = {"train": images(10, 1), "held_out": images(11, 2), "test": images(13, 3)}
    given = StandAloneSpec.model_validate({"epochs": 3, "batch_size": 4, **spec})
    return StandAloneTrainer(SPACE, skeleton, given, PLAIN, parts, "p")


def trained(replicate: int = 0, one: Architecture = ONE, **spec: Any) -> dict[str, Tensor]:
    return copied(made(**spec).train(one, SPACE.canonical(one), replicate)[0])


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(value, second[name]) for name, value in first.items()
    )


def test_drop_path_repeats_and_depends_on_the_replicate() -> None:
    first = trained(drop_path=0.5)
    torch.rand(3)
    assert same(trained(drop_path=0.5), first)
    assert not same(trained(), first)
    assert not same(trained(1, drop_path=0.5), first)


def test_masks_leave_torchs_own_generator_alone() -> None:
    before = torch.get_rng_state()
    trained(drop_path=0.5)
    assert torch.equal(torch.get_rng_state(), before)


def test_drop_path_rises_with_the_epochs_and_moves_no_other_draw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Epoch e of E drops with probability p*e/E, as DARTS's program; order of data unchanged."""
    nets: list[SuperNet] = []
    labels: list[list[int]] = []
    build, loss = stand_alone.build_stand_alone, classification.loss

    def watched_build(*arguments: Any) -> SuperNet:
        nets.append(build(*arguments))
        return nets[-1]

    def watched_loss(logits: Tensor, y: Tensor) -> Tensor:
        labels[-1] += y.tolist()
        return loss(logits, y)

    monkeypatch.setattr(stand_alone, "build_stand_alone", watched_build)
    monkeypatch.setattr(classification, "loss", watched_loss)
    seen: list[float] = []
    for wanted in (0.6, 0.0):
        labels.append([])
        made(drop_path=wanted).train(
            ONE, "", 0, lambda: seen.append(nets[-1].drop_path.probability)
        )
    assert seen == pytest.approx([0, 0, 0.2, 0.2, 0.4, 0.4] + [0] * 6)
    assert labels[0] == labels[1]


def test_the_auxiliary_loss_is_added_with_its_weight() -> None:
    trainer = made(auxiliary_weight=0.4)
    net, route = build_stand_alone(ONE, SKELETON, 0, auxiliary=True), Route.of(ONE)
    x, y = torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 1])
    logits, other = net.forward_with_auxiliary(x, route)
    wanted = F.cross_entropy(logits, y) + 0.4 * F.cross_entropy(other, y)
    torch.testing.assert_close(trainer._loss(net, x, y, route), wanted)
    # The same initial weights with and without it, but not the same training.
    with_it, without = trained(auxiliary_weight=0.4), trained()
    assert with_it.keys() == without.keys() and not same(with_it, without)


def test_weights_are_those_of_the_network_without_what_only_training_needs() -> None:
    built = build_stand_alone(ONE, SKELETON, 0, auxiliary=True)
    plain = build_stand_alone(ONE, SKELETON, 0)
    assert set(built.trunk.cells) == set("01234") > set(plain.trunk.cells) == set("024")
    net, _ = made(auxiliary_weight=0.4, drop_path=0.2).train(ONE, "", 0)
    stored = load(pack_weights(net))
    assert {name: value.shape for name, value in stored.items()} == {
        name: value.shape for name, value in plain.state_dict().items()
    }
    plain.load_state_dict(stored)
    x = torch.randn(3, 1, 8, 8)
    with net.probing(), plain.probing():
        torch.testing.assert_close(net(x, Route.of(ONE)), plain.eval()(x, Route.of(ONE)))


# -- sizes and keys ----------------------------------------------------------------------------
def key(skeleton: NetworkSpec | None = None, **spec: Any) -> str:
    given = StandAloneSpec.model_validate(spec)
    return protocol_key("f", PLAIN, skeleton or NetworkSpec(), given)


def test_rows_of_banks_keep_their_keys_while_all_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_alone, "PROTOCOL_VERSION", 2)
    # Computed by the version before these settings existed.
    assert key() == "9cbc32ecb2917450"
    assert key(NetworkSpec(channels=3, cells=2), epochs=3) == "1764da714ec36d8e"


def test_options_that_are_on_are_other_protocols() -> None:
    keys = [key(), key(auxiliary_weight=0.4), key(auxiliary_weight=0.2), key(drop_path=0.2)]
    keys += [key(drop_path=0.3), key(drop_path=0.2, auxiliary_weight=0.4), key(channels=36)]
    keys += [key(cells=20), key(channels=36, cells=20)]
    assert len(set(keys)) == len(keys)


def test_sizes_count_wherever_they_are_written() -> None:
    wide = NetworkSpec(channels=36, cells=20)
    assert key(channels=36, cells=20) == key(wide) == key(wide, channels=36)
    net, _ = made(channels=4, cells=2).train(ONE, "", 0)
    own = SKELETON.model_copy(update={"channels": 4, "cells": 2})
    assert sum(p.numel() for p in net.parameters()) == SPACE.cost(ONE, own).params


def test_scale_and_shift_can_differ_from_the_super_nets() -> None:
    plain = SKELETON.model_copy(update={"norm": NormSpec(affine=False)})
    assert key(plain, affine="learned") == key(SKELETON) != key(plain)
    assert key(SKELETON, affine="none") == key(plain) == key(plain, affine="none")
    net, _ = made(plain, affine="learned").train(ONE, "", 0)
    assert sum(p.numel() for p in net.parameters()) == SPACE.cost(ONE, SKELETON).params
