"""Sample images of a data set: one strip for a card, a grid with class names for its page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image

from engine.datasets.image_data import Images, Labels

SMALL_SIDE = 48
"""Below this side images are enlarged without smoothing, so that one sees their pixels."""

WIDE, HIGH, FEW_CLASSES = 10, 3, 4


def montage(images: Images, columns: int, gap: int = 1) -> bytes:
    """Return images side by side as one PNG; gaps are transparent.

    Args:
        images: uint8 (N, H, W, C), C 1 or 3, N at least 1.
        columns: images in a row.
        gap: pixels between two images, before small ones are enlarged.
    """
    count, height, width, _ = images.shape
    rows = -(-count // columns)
    canvas = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 4), np.uint8)
    for place, image in enumerate(images):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        canvas[top : top + height, left : left + width, :3] = image
        canvas[top : top + height, left : left + width, 3] = 255
    return _png(canvas, _factor(height))


def sampler(labels: Labels, classes: int) -> tuple[list[int], int]:
    """Choose images that show every class, or some of many classes, of a wide montage.

    Few classes get a row each, more of them a column each.

    Args:
        labels: of the images there are.
        classes: number of classes.

    Returns:
        Rows of the images, and the montage's number of columns. Classes of which there are too
        few images are left out; where none is left, simply the first images.
    """
    few = classes <= FEW_CLASSES
    each = WIDE if few else HIGH
    chosen = np.unique(np.linspace(0, classes - 1, min(WIDE, classes)).round().astype(int))
    found = [np.flatnonzero(labels == number)[:each].tolist() for number in chosen]
    full = [rows for rows in found if len(rows) == each]
    if not full:
        return list(range(min(len(labels), WIDE))), min(len(labels), WIDE)
    if few:
        return [row for rows in full for row in rows], WIDE
    return [rows[place] for place in range(each) for rows in full], len(full)


def gallery(images: Images, labels: Labels, classes: Sequence[str]) -> str:
    """Return HTML of single images with their class below, as many in a row as fit."""
    small = images.shape[1] <= SMALL_SIDE
    look = "image-rendering:pixelated;" if small else ""
    cells = "".join(
        f'<figure><img src="{_address(image)}" alt="{escape(classes[label], quote=True)}" '
        f'style="{look}"><figcaption title="{escape(classes[label], quote=True)}">'
        f"{escape(classes[label])}</figcaption></figure>"
        for image, label in zip(images, labels.tolist(), strict=True)
    )
    return f'<div class="nw-gallery">{cells}</div>'


def _address(image: Images) -> str:
    data = _png(image.squeeze(2) if image.shape[2] == 1 else image, 1)
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def _factor(side: int) -> int:
    return max(1, round(2 * SMALL_SIDE / side)) if side <= SMALL_SIDE else 1


def _png(pixels: np.ndarray, factor: int) -> bytes:
    picture = Image.fromarray(pixels)
    if factor > 1:
        size = picture.width * factor, picture.height * factor
        picture = picture.resize(size, Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
