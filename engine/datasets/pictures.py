"""Reading single pictures safely, and bringing images to one size, with Pillow."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from engine.datasets.image_data import Images
from engine.spec.errors import DataError

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}
)
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""Decoders that may run; formats that call other programs (EPS) stay out."""
MAX_PIXELS = 64_000_000
"""Larger pictures are refused from their header, before memory is taken for them."""

_GREY = frozenset({"1", "L", "LA"})
_COLOUR = frozenset({"P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB", "HSV"})
_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


@dataclass(frozen=True)
class Header:
    """What a picture says of itself before it is decoded."""

    width: int
    height: int
    grey: bool

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels."""
        return self.width, self.height


def read_header(path: Path | str, data: bytes | None = None) -> Header:
    """Read size and colour mode without decoding.

    Args:
        path: the file; only its name in messages where `data` is given.
        data: the file's content.

    Raises:
        DataError: not a picture, too large, or of more than 8 bits a channel.
    """
    with _open(path, data) as picture:
        if picture.mode not in _GREY | _COLOUR:
            raise DataError(
                f"{path}: pictures with 8 bits a channel are read, this one has the mode "
                f"{picture.mode}; convert it to 8 bits."
            )
        return Header(picture.width, picture.height, picture.mode in _GREY)


def read_picture(
    path: Path | str, channels: int, resolution: int | None, data: bytes | None = None
) -> Images:
    """Decode one picture to uint8 (H, W, `channels`); the first frame of an animation.

    Transparency is dropped and rotation tags of cameras are not followed, as in torchvision.
    `path` and `data` are as in `read_header`.

    Raises:
        DataError: the file is damaged.
    """
    with _open(path, data) as picture:
        try:
            plain = picture.convert("L" if channels == 1 else "RGB")
        except _FAULTS as error:
            raise _unreadable(path, error) from None
    return _as_array(plain if resolution is None else _fit(plain, resolution))


def resize_images(images: Images, resolution: int) -> Images:
    """Bring uint8 (N, H, W, C) to (N, `resolution`, `resolution`, C).

    The middle square is scaled: by area averages (Pillow's BOX) to a smaller, bilinearly to a
    larger size. Images that have the size already are returned as they are.
    """
    count, height, width, channels = images.shape
    if height == width == resolution:
        return images
    result = np.empty((count, resolution, resolution, channels), np.uint8)
    for position, image in enumerate(images):
        picture = Image.fromarray(image[:, :, 0] if channels == 1 else image)
        result[position] = _as_array(_fit(picture, resolution))
    return result


def _open(path: Path | str, data: bytes | None) -> Image.Image:
    try:
        picture = Image.open(path if data is None else io.BytesIO(data), formats=FORMATS)
    except _FAULTS as error:
        raise _unreadable(path, error) from None
    if picture.width * picture.height > MAX_PIXELS:
        picture.close()
        raise DataError(
            f"{path}: the picture has {picture.width} x {picture.height} pixels; at most "
            f"{MAX_PIXELS:,} are read, make it smaller."
        )
    return picture


def _unreadable(path: Path | str, error: Exception) -> DataError:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        text = "it is no picture of a kind that is known here, or it is damaged"
    return DataError(
        f"{path}: this picture cannot be read ({text}); replace it or take it out of the folder."
    )


def _fit(picture: Image.Image, resolution: int) -> Image.Image:
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    if picture.width != picture.height:  # cut first: scaling must not mix in what is cut off
        picture = picture.crop((left, top, left + side, top + side))
    if side == resolution:
        return picture
    how = Image.Resampling.BOX if side > resolution else Image.Resampling.BILINEAR
    return picture.resize((resolution, resolution), how)


def _as_array(picture: Image.Image) -> Images:
    array = np.asarray(picture, dtype=np.uint8)
    return array[:, :, None] if array.ndim == 2 else array
