"""MNIST and Fashion-MNIST: grey images of 28 x 28 pixels in the IDX format."""

import numpy as np

from .dataset import DataSet
from .files import DataError, File, read

PARTS = (
    ("train-images-idx3-ubyte.gz", 47_040_016),
    ("train-labels-idx1-ubyte.gz", 60_008),
    ("t10k-images-idx3-ubyte.gz", 7_840_016),
    ("t10k-labels-idx1-ubyte.gz", 10_008),
)

MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
MNIST_SHA256 = (
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)

FASHION_MIRRORS = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
FASHION_SHA256 = (
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)


def idx_files(
    folder: str, mirrors: tuple[str, ...], hashes: tuple[str, ...]
) -> tuple[File, File, File, File]:
    """Return the four files: training images and labels, test images and labels."""
    train_x, train_y, test_x, test_y = (
        File(f"{folder}/{name}", size, sha256, tuple(m + name for m in mirrors), gzipped=True)
        for (name, size), sha256 in zip(PARTS, hashes, strict=True)
    )
    return train_x, train_y, test_x, test_y


MNIST_FILES = idx_files("mnist", MNIST_MIRRORS, MNIST_SHA256)
FASHION_FILES = idx_files("fashion_mnist", FASHION_MIRRORS, FASHION_SHA256)


def parse_idx(content: bytes) -> np.ndarray:
    """Return the array in an IDX file of unsigned bytes.

    The format: two zero bytes, 8 for unsigned bytes, the number of axes; each axis as a big-endian
    32-bit number; the entries.

    Raises
    ------
    ValueError
        If it is not such a file, or has more or fewer entries than it says.

    Examples
    --------
    >>> parse_idx(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(range(6)))
    array([[0, 1, 2],
           [3, 4, 5]], dtype=uint8)
    """
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError("not an IDX file of unsigned bytes")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError("an IDX file that is cut off")
    shape = np.frombuffer(content[4:start], ">u4").astype(int)
    if len(content) - start != shape.prod():
        raise ValueError(f"{len(content) - start} bytes where {shape.tolist()} entries belong")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def unit_range(pixels: np.ndarray) -> np.ndarray:
    """Return bytes as float32 in [0, 1]."""
    return np.divide(pixels, 255, dtype=np.float32)


def image_rows(file: File) -> np.ndarray:
    """Return the images of a file as rows of pixels, float32 in [0, 1]."""
    images = read_idx(file)
    return unit_range(images.reshape(len(images), -1))


def read_idx(file: File) -> np.ndarray:
    """Return the array of a verified file."""
    try:
        return parse_idx(read(file))
    except ValueError as error:
        raise DataError(f"{file.name}: {error}") from error


def load_idx(
    name: str, files: tuple[File, File, File, File], classes: tuple[str, ...], source: str
) -> DataSet:
    """Load a data set of four IDX files."""
    train_x, train_y, test_x, test_y = files
    return DataSet(
        name,
        image_rows(train_x),
        read_idx(train_y).astype(np.int64),
        image_rows(test_x),
        read_idx(test_y).astype(np.int64),
        classes,
        source,
    )


def load_mnist() -> DataSet:
    """Load MNIST: 60,000 and 10,000 handwritten digits."""
    return load_idx(
        "mnist",
        MNIST_FILES,
        tuple("0123456789"),
        "MNIST: LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to "
        "document recognition",
    )


def load_fashion_mnist() -> DataSet:
    """Load Fashion-MNIST: 60,000 and 10,000 pieces of clothing."""
    return load_idx(
        "fashion_mnist",
        FASHION_FILES,
        (
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        "Fashion-MNIST: Xiao, Rasul and Vollgraf (2017), arXiv 1708.07747",
    )
