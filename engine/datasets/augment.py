"""Flip, random crop and cutout for whole batches on the device, from numbers drawn beforehand.

The order and the borders are those of the usual torchvision recipe for CIFAR (DARTS, NATS-Bench):
the crop's padding is black and comes before normalisation; cutout comes after it and puts zeros,
the mean colour. Flip and crop are one gather of the uint8 images.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from engine.spec.data import AugmentationSpec


def draw(
    count: int, side: tuple[int, int], augmentation: AugmentationSpec, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Draw all random numbers for `count` images.

    Args:
        count: number of images.
        side: height and width of the images in pixels.
        augmentation: decides which numbers are needed; none are drawn for what is off.
        rng: source of the numbers.

    Returns:
        int64 (`count`, K) with the columns of `columns(augmentation)`: flip 0 or 1; top and left
        edge of the crop window in the padded image; row and column of the cutout's centre.
    """
    height, width = side
    parts = [np.empty((count, 0), np.int64)]
    if augmentation.flip:
        parts.append(rng.integers(0, 2, (count, 1)))
    if augmentation.crop_padding:
        parts.append(rng.integers(0, 2 * augmentation.crop_padding + 1, (count, 2)))
    if augmentation.cutout:
        parts.append(rng.integers(0, (height, width), (count, 2)))
    return np.concatenate(parts, axis=1)


def columns(augmentation: AugmentationSpec) -> dict[str, int]:
    """Return the column of each number in what `draw` returns."""
    names = ["flip"] if augmentation.flip else []
    names += ["top", "left"] if augmentation.crop_padding else []
    names += ["row", "column"] if augmentation.cutout else []
    return {name: position for position, name in enumerate(names)}


def flip_and_crop(
    images: torch.Tensor, draws: torch.Tensor, augmentation: AugmentationSpec
) -> torch.Tensor:
    """Crop each image from its padded self, then mirror it where drawn so.

    Args:
        images: uint8 (B, C, H, W).
        draws: int64 (B, K), rows of `draw`, on the same device.
        augmentation: what is on.

    Returns:
        uint8 (B, C, H, W); `images` itself where neither is on.
    """
    where = columns(augmentation)
    if not augmentation.flip and not augmentation.crop_padding:
        return images
    count, channels, height, width = images.shape
    rows = torch.arange(height, device=images.device).expand(count, -1)
    cols = torch.arange(width, device=images.device).expand(count, -1)
    if augmentation.flip:
        flipped = draws[:, where["flip"], None] == 1
        cols = torch.where(flipped, width - 1 - cols, cols)
    if augmentation.crop_padding:
        rows = rows + draws[:, where["top"], None] - augmentation.crop_padding
        cols = cols + draws[:, where["left"], None] - augmentation.crop_padding
    source_rows, source_cols = rows.clamp(0, height - 1), cols.clamp(0, width - 1)
    pixel = (source_rows * width)[:, :, None] + source_cols[:, None, :]
    flat = pixel.view(count, 1, height * width).expand(-1, channels, -1)
    result = images.reshape(count, channels, -1).gather(2, flat).view_as(images)
    if augmentation.crop_padding:
        inside = (rows == source_rows)[:, :, None] & (cols == source_cols)[:, None, :]
        result = result * inside[:, None]
    return result


def cutout(x: torch.Tensor, draws: torch.Tensor, augmentation: AugmentationSpec) -> torch.Tensor:
    """Set a square of each normalised image to zero, in place; it may reach over the border.

    With side L and centre (row, column) it covers the rows from row - L // 2 on, L of them, and
    the columns likewise (DeVries and Taylor, 2017; for even L exactly the published code).

    Args:
        x: floating (B, C, H, W), changed and returned.
        draws: int64 (B, K), rows of `draw`, on the same device.
        augmentation: `cutout` is the side in pixels; 0 leaves `x` alone.
    """
    side = augmentation.cutout
    if not side:
        return x
    where = columns(augmentation)
    masks = []
    for name, length in (("row", x.shape[2]), ("column", x.shape[3])):
        place = torch.arange(length, device=x.device)
        first = draws[:, where[name], None] - side // 2
        masks.append((place >= first) & (place < first + side))
    return x.masked_fill_((masks[0][:, :, None] & masks[1][:, None, :])[:, None], 0)
