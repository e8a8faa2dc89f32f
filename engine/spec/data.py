"""Which images a run uses, how they are split, and how training batches are varied."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AugmentationSpec(BaseModel):
    """Random changes to training images. Evaluation never sees them, apart from `normalise`."""

    model_config = ConfigDict(extra="forbid")

    flip: bool = Field(
        False,
        description="Mirror each training image left to right with probability one half. Good "
        "for photographs, wrong for digits and letters.",
        json_schema_extra={"unit": None},
    )
    crop_padding: int = Field(
        0,
        ge=0,
        le=64,
        description="Pad each training image with this many black pixels on every side and cut "
        "a window of the original size at a random place; 0 is off, 4 is usual for CIFAR.",
        json_schema_extra={"unit": "pixels"},
    )
    cutout: int = Field(
        0,
        ge=0,
        le=512,
        description="Side of a square that is blanked at a random place of each training image "
        "(DeVries and Taylor, 2017); 0 is off, 16 is usual for CIFAR-10.",
        json_schema_extra={"unit": "pixels"},
    )
    normalise: bool = Field(
        True,
        description="Subtract the mean and divide by the standard deviation of each channel of "
        "the training part, in training and in evaluation.",
        json_schema_extra={"unit": None},
    )


class DataSpec(BaseModel):
    """A data set and its three parts: training, held-out (to rank by), and test."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        "digits",
        min_length=1,
        max_length=100,
        description="Data set: digits, cifar10, cifar100, imported (your own, imported once), "
        "folder (one sub-folder of pictures per class) or npz (numpy arrays).",
        json_schema_extra={"unit": None},
    )
    path: str | None = Field(
        None,
        min_length=1,
        max_length=4096,
        description="Archive, folder or npz file with the images, or the name of an imported data "
        "set. The digits need none; CIFAR without a path is taken from the downloaded archives.",
        json_schema_extra={"unit": None},
    )
    resolution: int | None = Field(
        None,
        ge=4,
        le=512,
        description="Height and width to which the images are brought: cut to the middle square, "
        "then scaled. Empty: as they are.",
        json_schema_extra={"unit": "pixels"},
    )
    train_images: int | None = Field(
        None,
        ge=1,
        description="Number of images in the training part, the same share of every class. "
        "Empty: all that the held-out part leaves.",
        json_schema_extra={"unit": "images"},
    )
    held_out_images: int | None = Field(
        None,
        ge=1,
        description="Number of images taken out of the training set to rank architectures by. "
        "Empty: the share `held_out_fraction`.",
        json_schema_extra={"unit": "images"},
    )
    held_out_fraction: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Share of the data set's training images that becomes the held-out part when "
        "`held_out_images` is empty. It does not depend on `train_images`. The train portion of "
        "Yu's thesis (Table 6.11) is one minus this share.",
        json_schema_extra={"unit": "share"},
    )
    test_images: int | None = Field(
        None,
        ge=1,
        description="Number of images in the test part. Empty: the whole test set, or one fifth "
        "of the images where the data set has no test set of its own.",
        json_schema_extra={"unit": "images"},
    )
    split_seed: int = Field(
        0,
        ge=0,
        lt=2**63,
        description="Seed of the split. It is not the run's seed, so that runs with different "
        "seeds use the same parts and can share their ground truth.",
        json_schema_extra={"unit": None},
    )
    augmentation: AugmentationSpec = Field(
        default_factory=AugmentationSpec,
        description="Random changes to the training images.",
        json_schema_extra={"unit": None},
    )
