"""What each data set holds: parsing, the shapes that are promised, and the real files."""

import gzip
import hashlib
import io
import os
import re
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from data_server import good, serve
from hypothesis import given, strategies as st
from sklearn.datasets import load_digits
from sklearn.naive_bayes import BernoulliNB

from adam_edu import data
from adam_edu.data import DataError, cifar10, embedded, files, imdb, mnist
from adam_edu.data.files import File

LOCAL = os.environ.get(files.LOCAL_COPY)
real = pytest.mark.skipif(
    not LOCAL, reason=f"{files.LOCAL_COPY} does not name a folder with the real files"
)


def idx(array):
    """Return an IDX file of an array of bytes."""
    axes = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + axes + array.tobytes()


def archive_of(contents):
    """Return a tar.gz of a dictionary of contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def put_local(folder, path, raw, monkeypatch):
    """Put a file into a local copy, and return its description."""
    monkeypatch.setenv(files.LOCAL_COPY, str(folder))
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(raw)
    return File(path, len(raw), hashlib.sha256(raw).hexdigest())


# --- load -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "offer"),
    [("minst", "mnist"), ("cifar", "cifar10"), ("fashion", "fashion_mnist"), ("digit", "digits")],
)
def test_an_unknown_name_gets_the_nearest(name, offer):
    with pytest.raises(KeyError, match=f"no data set is called '{name}'; did you mean '{offer}'"):
        data.load(name)


def test_a_missing_library_gives_the_line_that_installs_it(monkeypatch):
    for name in ("sklearn", "sklearn.datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        ModuleNotFoundError, match=r"need sklearn.*: pip install 'adam-edu\[data\]'"
    ):
        data.load("digits")


def test_the_digits_are_read_without_scikit_learn_as_it_gives_them(monkeypatch):
    theirs = load_digits()
    monkeypatch.delitem(sys.modules, "sklearn")
    read = data.load("digits")
    assert "sklearn" not in sys.modules
    whole = np.concatenate([read.train_x, read.test_x])
    labels = np.concatenate([read.train_y, read.test_y])
    order = np.random.default_rng(0).permutation(len(whole))
    np.testing.assert_array_equal(whole, theirs.data[order] / 16)
    np.testing.assert_array_equal(labels, theirs.target[order])


@pytest.mark.parametrize("name", ["digits", "synthetic_bow"])
def test_the_embedded_sets_are_the_same_each_time_and_the_callers_own(name):
    first, second = data.load(name), data.load(name)
    for field in ("train_x", "train_y", "test_x", "test_y"):
        np.testing.assert_array_equal(getattr(first, field), getattr(second, field))
    first.train_x[:] = 7
    assert second.train_x.max() <= 1


def test_digits_are_split_without_overlap_and_lie_in_the_unit_range():
    digits = data.load()
    assert digits.name == "digits"
    assert digits.train_x.shape == (1437, 64)
    assert digits.test_x.shape == (360, 64)
    assert digits.train_x.dtype == np.float32
    assert (digits.train_x.min(), digits.train_x.max()) == (0, 1)
    assert not set(map(bytes, digits.train_x)) & set(map(bytes, digits.test_x))
    assert np.bincount(digits.test_y).min() >= 20


def test_synthetic_words_follow_zipf_and_rare_ones_tell_the_class():
    bow = data.load("synthetic_bow")
    assert set(np.unique(bow.train_x)) == {0, 1}
    assert bow.train_x.shape == (2000, len(bow.words))
    # Words so rare that a text hardly has one twice: presence is as probable as 1 over the rank.
    ranks = np.arange(1, len(bow.words) + 1)
    presence = bow.train_x.mean(axis=0)
    bands = [(200, 400), (400, 800), (800, 1600)]
    constants = [presence[a:b].sum() / (1 / ranks[a:b]).sum() for a, b in bands]
    assert max(constants) < 1.15 * min(constants)

    def errors(columns):
        """Return the share of errors of naive Bayes from these words alone."""
        model = BernoulliNB().fit(bow.train_x[:, columns], bow.train_y)
        return 1 - model.score(bow.test_x[:, columns], bow.test_y)

    assert errors(slice(0, embedded.FREQUENT)) > 0.4
    assert errors(slice(embedded.FREQUENT, None)) < 0.2
    assert "made-up" in bow.note


# --- MNIST ------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_idx_gives_back_the_array(shape, seed):
    array = np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)
    np.testing.assert_array_equal(mnist.parse_idx(idx(array)), array)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"<html>",
        b"\0\0\x08\x01\0\0",
        b"\0\0\x0d\x01\0\0\0\x01" + bytes(4),
        idx(np.zeros((2, 3), np.uint8))[:-1],
        idx(np.zeros((2, 3), np.uint8)) + b"!",
    ],
)
def test_what_is_not_idx_is_refused(content):
    with pytest.raises(ValueError, match=r"IDX|bytes where"):
        mnist.parse_idx(content)


def test_images_are_downloaded_and_scaled(cache, monkeypatch):
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(256, size=(6, 28, 28), dtype=np.uint8),
        np.arange(6, dtype=np.uint8),
        rng.integers(256, size=(3, 28, 28), dtype=np.uint8),
        np.arange(3, dtype=np.uint8),
    ]
    with serve() as server:
        described = [
            File(
                f"mnist/{number}.gz",
                len(idx(array)),
                hashlib.sha256(idx(array)).hexdigest(),
                (server.url(f"/{number}", good(gzip.compress(idx(array)))),),
                gzipped=True,
            )
            for number, array in enumerate(arrays)
        ]
        monkeypatch.setattr(mnist, "MNIST_FILES", tuple(described))
        loaded = data.load("mnist")
    assert loaded.train_x.dtype == np.float32
    np.testing.assert_array_equal(np.rint(loaded.train_x * 255), arrays[0].reshape(6, 784))
    np.testing.assert_array_equal(loaded.train_y, arrays[1])
    np.testing.assert_array_equal(np.rint(loaded.test_x * 255), arrays[2].reshape(3, 784))
    assert loaded.test_y.dtype == np.int64
    loaded.train_x[:] = 0  # The caller's to change.


def test_every_file_has_a_hash_and_several_https_mirrors():
    for file in (*mnist.MNIST_FILES, *mnist.FASHION_FILES, imdb.PUBLISHED, cifar10.PUBLISHED):
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert len({url.split("/")[2] for url in file.mirrors}) >= 2
        assert file.mirrors[0].startswith("https://")
    hashes = [file.sha256 for file in mnist.MNIST_FILES + mnist.FASHION_FILES]
    assert len(set(hashes)) == 8


# --- CIFAR-10 ---------------------------------------------------------------------------------


def cifar_batches(rng, records=5):
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    return {
        f"cifar-10-batches-bin/{name}.bin": np.concatenate(
            [
                rng.integers(10, size=(records, 1), dtype=np.uint8),
                rng.integers(256, size=(records, 3072), dtype=np.uint8),
            ],
            axis=1,
        )
        for name in names
    }


def test_the_binary_version_is_read_channel_by_channel(cache, tmp_path, monkeypatch):
    batches = cifar_batches(np.random.default_rng(0))
    contents = {name: batch.tobytes() for name, batch in reversed(batches.items())}
    contents["cifar-10-batches-bin/readme.html"] = b"<html>"
    file = put_local(tmp_path, cifar10.PUBLISHED.path, archive_of(contents), monkeypatch)
    monkeypatch.setattr(cifar10, "PUBLISHED", file)
    loaded = data.load("cifar10")
    assert loaded.train_x.shape == (25, 3, 32, 32)
    assert loaded.test_x.dtype == np.float32
    assert loaded.note == ""
    second = batches["cifar-10-batches-bin/data_batch_2.bin"]
    np.testing.assert_array_equal(loaded.train_y[5:10], second[:, 0])
    green = second[3, 1 + 1024 : 1 + 2048].reshape(32, 32)
    np.testing.assert_array_equal(np.rint(loaded.train_x[8, 1] * 255), green)
    test = batches["cifar-10-batches-bin/test_batch.bin"]
    np.testing.assert_array_equal(loaded.test_y, test[:, 0])


def jpeg(size, color):
    buffer = io.BytesIO()
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", size, color).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def test_the_jpeg_version_is_read_and_says_that_it_is_not_the_original(
    cache, tmp_path, monkeypatch
):
    """Each class is of a color."""
    contents = {
        f"{half}/{name}/{number:04d}.jpg": jpeg((32, 32), (25 * label, 250 - 25 * label, 90))
        for label, name in enumerate(cifar10.CLASSES)
        for half, count in (("train", 3), ("test", 1))
        for number in range(count)
    }
    file = put_local(tmp_path, cifar10.JPEG.path, archive_of(contents), monkeypatch)
    monkeypatch.setattr(cifar10, "JPEG", file)
    loaded = data.load("cifar10")
    check_equal(loaded, data.load("cifar10"))  # The second time, from the arrays that were kept.
    assert "JPEG" in loaded.note
    assert loaded.train_x.shape == (30, 3, 32, 32)
    assert np.bincount(loaded.train_y).tolist() == [3] * 10
    assert sorted(loaded.test_y) == list(range(10))
    assert loaded.train_y.tolist() != sorted(loaded.train_y)
    red, green, blue = 255 * loaded.train_x.mean(axis=(2, 3)).T
    np.testing.assert_allclose(red, 25 * loaded.train_y, atol=4)
    np.testing.assert_allclose(green, 250 - 25 * loaded.train_y, atol=4)
    np.testing.assert_allclose(blue, 90, atol=4)


def test_a_picture_of_another_size_is_refused(cache, tmp_path, monkeypatch):
    raw = archive_of({"train/cat/0000.jpg": jpeg((32, 16), (0, 0, 0))})
    file = put_local(tmp_path, cifar10.JPEG.path, raw, monkeypatch)
    monkeypatch.setattr(cifar10, "JPEG", file)
    with pytest.raises(DataError, match="not 32 by 32"):
        data.load("cifar10")


def test_an_archive_without_all_batches_is_refused(cache, tmp_path, monkeypatch):
    batches = cifar_batches(np.random.default_rng(0))
    batches.pop("cifar-10-batches-bin/test_batch.bin")
    raw = archive_of({name: batch.tobytes() for name, batch in batches.items()})
    file = put_local(tmp_path, cifar10.PUBLISHED.path, raw, monkeypatch)
    monkeypatch.setattr(cifar10, "PUBLISHED", file)
    with pytest.raises(DataError, match="six batches"):
        data.load("cifar10")


# --- IMDB -------------------------------------------------------------------------------------

REVIEWS = {
    "aclImdb/train/pos/0_9.txt": b"Good good GOOD film.<br /><br />It's good",
    "aclImdb/train/neg/1_2.txt": b"A bad film, it's bad",
    "aclImdb/train/neg/2_1.txt": "Caf\u00e9 a film".encode(),
    "aclImdb/test/pos/0_10.txt": b"good unheard",
    "aclImdb/test/neg/1_1.txt": b"bad 'film'",
    "aclImdb/train/unsup/0_0.txt": b"unsup unsup unsup",
    "aclImdb/train/urls_pos.txt": b"http://",
    "aclImdb/README": b"readme",
}


def test_reviews_become_bags_of_the_most_frequent_words(cache, tmp_path, monkeypatch):
    file = put_local(tmp_path, imdb.PUBLISHED.path, archive_of(REVIEWS), monkeypatch)
    monkeypatch.setattr(imdb, "PUBLISHED", file)
    parsed_now, kept = data.load("imdb"), data.load("imdb")
    for loaded in (parsed_now, kept):
        # Four good, three film; then two each of a, bad and it's; caf once. Unheard is not there.
        assert loaded.words == ("good", "film", "a", "bad", "it's", "caf")
        assert loaded.train_x.shape == (3, imdb.WORDS)
        assert loaded.train_x.dtype == np.uint8

        def bags(x, y, words=loaded.words):
            texts = (frozenset(words[column] for column in np.flatnonzero(row)) for row in x)
            return set(zip(texts, y.tolist(), strict=True))

        assert bags(loaded.train_x, loaded.train_y) == {
            (frozenset({"good", "film", "it's"}), 1),
            (frozenset({"a", "bad", "film", "it's"}), 0),
            (frozenset({"caf", "a", "film"}), 0),
        }
        assert bags(loaded.test_x, loaded.test_y) == {
            (frozenset({"good"}), 1),
            (frozenset({"bad", "film"}), 0),
        }


def test_reviews_become_pieces_of_running_text(cache, tmp_path, monkeypatch):
    text = b"good film " * 20
    contents = REVIEWS | {"aclImdb/train/pos/9_9.txt": text, "aclImdb/test/pos/9_9.txt": text}
    file = put_local(tmp_path, imdb.PUBLISHED.path, archive_of(contents), monkeypatch)
    monkeypatch.setattr(imdb, "PUBLISHED", file)
    monkeypatch.setattr(imdb, "TEXT_WORDS", 3)
    loaded = data.load("imdb_text")
    assert loaded.words == ("<unknown>", "good", "film")
    # Of 40 words, one piece of 33; the other reviews are shorter than that.
    assert loaded.train_x.tolist() == [[1, 2] * 16] == loaded.test_x.tolist()
    assert loaded.train_y.tolist() == [[2, 1] * 16]
    assert (loaded.train_x.dtype, loaded.train_y.dtype) == (np.int32, np.int64)


def test_a_word_outside_the_vocabulary_is_the_unknown_one(cache, tmp_path, monkeypatch):
    contents = REVIEWS | {"aclImdb/train/pos/9_9.txt": b"good bad rare " * 11}
    contents |= {"aclImdb/test/pos/9_9.txt": b"good unheard bad " * 11}
    file = put_local(tmp_path, imdb.PUBLISHED.path, archive_of(contents), monkeypatch)
    monkeypatch.setattr(imdb, "PUBLISHED", file)
    monkeypatch.setattr(imdb, "TEXT_WORDS", 3)
    loaded = data.load("imdb_text")
    assert loaded.words == ("<unknown>", "good", "bad")
    assert loaded.train_x[0, :4].tolist() == [1, 2, 0, 1]
    assert loaded.test_x[0, :4].tolist() == [1, 0, 2, 1]


def test_an_archive_without_reviews_is_refused(cache, tmp_path, monkeypatch):
    raw = archive_of({"aclImdb/README": b"readme"})
    file = put_local(tmp_path, imdb.PUBLISHED.path, raw, monkeypatch)
    monkeypatch.setattr(imdb, "PUBLISHED", file)
    with pytest.raises(DataError, match="no reviews"):
        data.load("imdb")


# --- The real files ---------------------------------------------------------------------------


def check_shapes(loaded, train, test, example, dtype, classes):
    assert loaded.train_x.shape == (train, *example)
    assert loaded.test_x.shape == (test, *example)
    assert loaded.train_x.dtype == loaded.test_x.dtype == dtype
    assert loaded.train_y.dtype == loaded.test_y.dtype == np.int64
    assert len(loaded.classes) == classes == len(np.bincount(loaded.train_y))
    assert loaded.train_x.min() == 0
    assert loaded.train_x.max() == 1


def check_equal(one, other):
    for field in ("train_x", "train_y", "test_x", "test_y"):
        assert np.array_equal(getattr(one, field), getattr(other, field))
    assert one.words == other.words


@real
def test_mnist_is_mnist(cache, monkeypatch):
    monkeypatch.setenv(files.LOCAL_COPY, LOCAL)
    loaded = data.load("mnist")
    check_shapes(loaded, 60_000, 10_000, (784,), np.float32, 10)
    # The mean and deviation that everybody's scripts subtract and divide by.
    assert round(float(loaded.train_x.mean(dtype=float)), 4) == 0.1307
    assert round(float(loaded.train_x.std(dtype=float)), 4) == 0.3081
    assert loaded.train_y[:5].tolist() == [5, 0, 4, 1, 9]


@pytest.mark.nightly
@real
def test_imdb_is_balanced_mixed_and_sparse(cache, monkeypatch):
    monkeypatch.setenv(files.LOCAL_COPY, LOCAL)
    loaded = data.load("imdb")
    check_equal(loaded, data.load("imdb"))  # The second time, from the arrays that were kept.
    check_shapes(loaded, 25_000, 25_000, (10_000,), np.uint8, 2)
    assert loaded.train_y.sum() == loaded.test_y.sum() == 12_500
    assert 400 < loaded.train_y[:1000].sum() < 600
    assert loaded.words[:4] == ("the", "and", "a", "of")
    assert len(set(loaded.words)) == imdb.WORDS
    assert 0.01 < loaded.train_x.mean() < 0.02
    wonderful = loaded.train_x[:, loaded.words.index("wonderful")] == 1
    assert loaded.train_y[wonderful].mean() > 0.75


@pytest.mark.nightly
@real
def test_cifar10_says_that_it_is_not_the_original(cache, monkeypatch):
    monkeypatch.setenv(files.LOCAL_COPY, LOCAL)
    loaded = data.load("cifar10")
    check_equal(loaded, data.load("cifar10"))
    check_shapes(loaded, 50_000, 10_000, (3, 32, 32), np.float32, 10)
    # Another local copy may have the published archive, which needs no note.
    assert ("JPEG" in loaded.note) == (not Path(LOCAL, cifar10.PUBLISHED.path).exists())
    assert np.bincount(loaded.train_y).tolist() == [5000] * 10
    assert np.bincount(loaded.test_y).tolist() == [1000] * 10
    # Any part is a fair sample: the first rows, and every so many.
    for part in (loaded.train_y[:1000], loaded.train_y[::50]):
        assert np.bincount(part, minlength=10).min() > 60
    # Skies are bluer than they are red; airplanes fly in them.
    red, _, blue = loaded.train_x[loaded.train_y == 0].mean(axis=(0, 2, 3))
    assert blue > red


@real
def test_real_files_come_from_a_mirror_with_another_compression(cache, monkeypatch):
    with serve() as server:
        served = []
        for file in mnist.MNIST_FILES[1::2]:
            raw = gzip.compress(gzip.decompress(Path(LOCAL, file.path).read_bytes()), 1)
            served.append(
                File(
                    file.path,
                    file.size,
                    file.sha256,
                    (server.url(f"/{file.name}", good(raw)),),
                    gzipped=True,
                )
            )
        labels = [mnist.read_idx(file) for file in served]
    assert [len(array) for array in labels] == [60_000, 10_000]
