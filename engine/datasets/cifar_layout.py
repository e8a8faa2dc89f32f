"""How the official CIFAR archives are laid out.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009, and
https://www.cs.toronto.edu/~kriz/cifar.html, which also gives the MD5 sums.
"""

from __future__ import annotations

from dataclasses import dataclass

SIDE = 32
PIXEL_BYTES = 3 * SIDE * SIDE
"""Bytes of one image: all red, then all green, then all blue values, each row by row."""

BASE_URL = "https://www.cs.toronto.edu/~kriz/"


@dataclass(frozen=True)
class OfficialArchive:
    """One downloadable file with its checksum."""

    url: str
    md5: str
    size: int

    @property
    def file_name(self) -> str:
        return self.url.rsplit("/", 1)[1]


@dataclass(frozen=True)
class Files:
    """The data files of one format, in reading order, and the folder they lie in.

    Attributes:
        archive: the official archive that holds them.
        folder: folder inside the archive.
        train: names of the training files.
        test: name of the test file.
    """

    archive: OfficialArchive
    folder: str
    train: tuple[str, ...]
    test: str

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.train, self.test)


@dataclass(frozen=True)
class Layout:
    """One of the two data sets in both official formats.

    Attributes:
        name: registered name. title: name for people.
        classes: official class names in the order of the labels.
        label_key: entry of the pickled dictionary that holds the labels.
        label_bytes: bytes before the pixels in a binary record; the last one is the label.
        train_images: images in all training files together. test_images: in the test file.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    python: Files
    binary: Files
    label_key: str
    label_bytes: int
    train_images: int = 50_000
    test_images: int = 10_000

    @property
    def archives(self) -> tuple[OfficialArchive, OfficialArchive]:
        """Both archives, the one that needs no pickle first."""
        return self.binary.archive, self.python.archive


_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))

CIFAR10 = Layout(
    name="cifar10",
    title="CIFAR-10",
    classes=("airplane", "automobile", "bird", "cat", "deer")
    + ("dog", "frog", "horse", "ship", "truck"),
    python=Files(
        OfficialArchive(
            f"{BASE_URL}cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a", 170_498_071
        ),
        "cifar-10-batches-py",
        _BATCHES,
        "test_batch",
    ),
    binary=Files(
        OfficialArchive(
            f"{BASE_URL}cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 170_052_171
        ),
        "cifar-10-batches-bin",
        tuple(f"{name}.bin" for name in _BATCHES),
        "test_batch.bin",
    ),
    label_key="labels",
    label_bytes=1,
)

_FINE_CLASSES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house
kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew
skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank
telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree
wolf woman worm
"""

CIFAR100 = Layout(
    name="cifar100",
    title="CIFAR-100",
    classes=tuple(_FINE_CLASSES.split()),
    python=Files(
        OfficialArchive(
            f"{BASE_URL}cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85", 169_001_437
        ),
        "cifar-100-python",
        ("train",),
        "test",
    ),
    binary=Files(
        OfficialArchive(
            f"{BASE_URL}cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 168_513_733
        ),
        "cifar-100-binary",
        ("train.bin",),
        "test.bin",
    ),
    label_key="fine_labels",
    label_bytes=2,
)

LAYOUTS = {layout.name: layout for layout in (CIFAR10, CIFAR100)}
