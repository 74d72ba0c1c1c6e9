"""CIFAR-10: colour images of 32 x 32 pixels."""

import io
import re

import numpy as np

from .archives import members
from .dataset import DataSet
from .files import DataError, File, local_path, read
from .mnist import unit_range
from .parsed import Arrays, kept

# The binary version: the Python version is a pickle, which can run code when it is read.
PUBLISHED = File(
    "cifar10/cifar-10-binary.tar.gz",
    170_052_171,
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    (
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "https://cave.cs.toronto.edu/kriz/cifar-10-binary.tar.gz",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/"
        "cifar-10-binary.tar.gz",
    ),
)
# A smaller stand-in for a local copy.
JPEG = File(
    "cifar10/cifar10_jpeg75.tar.xz",
    18_547_084,
    "47de190dc3a81b9ad8897df443b9bc7d7651bb92ed3f8b63e733e95c832f15d5",
)
JPEG_NOTE = (
    "not the original pixels: encoded as JPEG of about quality 75, and in another order; good for "
    "comparing optimizers, not for comparing with published accuracies"
)

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
IMAGE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32
BATCH = re.compile(r"cifar-10-batches-bin/(data_batch_[1-5]|test_batch)\.bin")
PICTURE = re.compile(rf"(train|test)/({'|'.join(CLASSES)})/\d{{4}}\.jpg")
UNPACKED_LIMIT = 1 << 28


def load_cifar10() -> DataSet:
    """Load CIFAR-10: 50,000 and 10,000 photographs, (3, 32, 32) each, in ten classes.

    A local copy may have JPEG files in place of the published ones; the data set's ``note`` then
    says so.
    """
    jpeg = bool(local_path(JPEG)) and not local_path(PUBLISHED)
    file = JPEG if jpeg else PUBLISHED
    archive = read(file)
    try:
        if jpeg:
            arrays = kept("cifar10", f"{file.sha256[:16]}-1", lambda: parse_jpeg(archive))
        else:
            arrays = parse_binary(archive)
    except ValueError as error:
        raise DataError(f"{file.name}: {error}") from error
    return DataSet(
        "cifar10",
        unit_range(arrays["train_x"]),
        arrays["train_y"].astype(np.int64),
        unit_range(arrays["test_x"]),
        arrays["test_y"].astype(np.int64),
        CLASSES,
        "CIFAR-10: Krizhevsky (2009), Learning multiple layers of features from tiny images",
        note=JPEG_NOTE if jpeg else "",
    )


def parse_binary(archive: bytes) -> Arrays:
    """Return the images and labels of the published archive, as bytes.

    A record is the label and then the red, the green and the blue pixels, row by row.
    """
    batches = {
        name: np.frombuffer(content, np.uint8).reshape(-1, RECORD)
        for name, content in members(archive, lambda n: bool(BATCH.fullmatch(n)), UNPACKED_LIMIT)
    }
    if len(batches) != 6:
        raise ValueError(f"six batches belong in the archive, and it has {len(batches)}")
    # In the order of the names: five of training data, then the test data.
    *train, test = (batches[name] for name in sorted(batches))
    records = {"train": np.concatenate(train), "test": test}
    return halves({half: (r[:, 1:].reshape(-1, *IMAGE), r[:, 0]) for half, r in records.items()})


def parse_jpeg(archive: bytes) -> Arrays:
    """Return the images and labels of the archive of JPEG files, as bytes, in a fixed shuffle.

    The files are sorted by class, and any other regular order could make a part of them, such as
    every tenth, a bad sample.
    """
    from PIL import Image

    found: dict[str, dict[str, np.ndarray]] = {"train": {}, "test": {}}
    for name, content in members(archive, lambda n: bool(PICTURE.fullmatch(n)), UNPACKED_LIMIT):
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
            if picture.size != IMAGE[:0:-1]:
                raise ValueError(f"{name} is {picture.size}, not 32 by 32")
            pixels = np.asarray(picture.convert("RGB"))
        found[name.split("/")[0]][name] = pixels.transpose(2, 0, 1)
    return halves({half: shuffled(pictures) for half, pictures in found.items()})


def shuffled(pictures: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the images and their labels in an order that depends on their names alone."""
    names = sorted(pictures)
    names = [names[i] for i in np.random.default_rng(0).permutation(len(names))]
    labels = [CLASSES.index(name.split("/")[1]) for name in names]
    return np.array([pictures[name] for name in names]), np.array(labels, np.uint8)


def halves(found: dict[str, tuple[np.ndarray, np.ndarray]]) -> Arrays:
    """Return images and labels of both halves under their names."""
    (train_x, train_y), (test_x, test_y) = found["train"], found["test"]
    return {"train_x": train_x, "train_y": train_y, "test_x": test_x, "test_y": test_y}
