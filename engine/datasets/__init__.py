"""Image classification data: sources, splits, and batches on the device.

Everything here is free of torch apart from `augment` and `batches`, which are imported by name.
"""

from engine.datasets.cifar import default_cache_dir
from engine.datasets.image_data import ImageData
from engine.datasets.prepare import PreparedData, prepare, prepare_loaded
from engine.datasets.registry import DATASETS, DatasetInfo, load
from engine.datasets.splits import Split, make_split

__all__ = [
    "DATASETS",
    "DatasetInfo",
    "ImageData",
    "PreparedData",
    "Split",
    "default_cache_dir",
    "load",
    "make_split",
    "prepare",
    "prepare_loaded",
]
