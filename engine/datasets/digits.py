"""The handwritten digits that come with scikit-learn: real data without a download."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.datasets.image_data import ImageData
from engine.spec.data import DataSpec
from engine.spec.errors import DataError


def load_digits(spec: DataSpec, cache_dir: Path | None) -> ImageData:
    """Return 1,797 grey images of 8 by 8 pixels in ten classes; there is no test set.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI machine
    learning repository, 1998. Values 0 to 16 become 0 to 255, rounded.

    Raises:
        DataError: a path was given, which would have no effect.
    """
    if spec.path is not None:
        raise DataError(
            f"data.path: the digits come with scikit-learn and need no path; leave it empty "
            f"instead of `{spec.path}`."
        )
    from sklearn.datasets import load_digits as bundled  # a second to import: only when used

    bunch = bundled()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None]
    return ImageData(
        name="digits",
        images=images,
        labels=bunch.target.astype(np.int64),
        test_images=None,
        test_labels=None,
        classes=tuple(str(digit) for digit in bunch.target_names),
        source="handwritten digits bundled with scikit-learn (UCI, 1998)",
    )
