from collections import Counter, namedtuple

import numpy as np
import pytest

from nanograd import creation
from nanograd.data import DataLoader, Dataset, TensorDataset, default_collate
from nanograd.errors import NanogradError, ShapeError
from nanograd.random import Generator, manual_seed

Pair = namedtuple("Pair", "x y")


class Squares(Dataset):
    def __len__(self):
        return 10

    def __getitem__(self, index):
        return {"number": index, "square": creation.tensor([float(index) ** 2])}


def dataset(count=10):
    return TensorDataset(creation.arange(count * 2).reshape(count, 2), creation.arange(count))


def seen(loader):
    return [batch[1].tolist() for batch in loader]


def flat(loader):
    return [number for numbers in seen(loader) for number in numbers]


@pytest.mark.parametrize(("drop_last", "sizes"), [(False, [4, 4, 2]), (True, [4, 4])])
def test_batches_are_of_one_size_but_perhaps_the_last(drop_last, sizes):
    loader = DataLoader(dataset(), batch_size=4, drop_last=drop_last)
    assert [len(batch[0]) for batch in loader] == sizes
    assert len(loader) == len(sizes)
    assert seen(loader)[0] == [0, 1, 2, 3]


def test_members_of_a_sample_stay_together_in_any_order():
    for x, y in DataLoader(dataset(), batch_size=3, shuffle=True, num_workers=0, pin_memory=False):
        assert x.shape == (len(y), 2)
        assert (x[:, 0] == 2 * y).all()


def test_each_pass_has_an_order_of_its_own_that_the_generator_gives():
    first, second = (DataLoader(dataset(), 3, shuffle=True, generator=Generator(5)) for _ in range(2))
    passes = [flat(first) for _ in range(2)]
    assert passes[0] != passes[1]
    assert all(sorted(order) == list(range(10)) for order in passes)
    assert passes == [flat(second) for _ in range(2)]
    manual_seed(3)
    by_default = seen(DataLoader(dataset(), 3, shuffle=True))
    manual_seed(3)
    assert seen(DataLoader(dataset(), 3, shuffle=True)) == by_default


def test_every_sample_comes_first_equally_often():
    loader = DataLoader(range(4), shuffle=True, generator=Generator(0))
    counts = Counter(next(iter(loader)).item() for _ in range(4000))
    assert all(900 < counts[sample] < 1100 for sample in range(4))


def test_tensors_are_batched_at_once_as_one_by_one():
    whole = list(DataLoader(dataset(), 4))
    parts = list(DataLoader([dataset()[index] for index in range(10)], 4))
    assert [[part.tolist() for part in batch] for batch in whole] == [[part.tolist() for part in batch] for batch in parts]


def test_a_data_set_of_ones_own_gives_dicts():
    batch = next(iter(DataLoader(Squares(), batch_size=3)))
    assert batch["number"].tolist() == [0, 1, 2]
    assert batch["square"].shape == (3, 1)


def test_a_function_of_ones_own_makes_the_batch():
    assert list(DataLoader(Squares(), 5, collate_fn=lambda batch: sum(sample["number"] for sample in batch))) == [10, 35]


@pytest.mark.parametrize(
    ("batch", "dtype", "shape"),
    [
        ([1, 2], "int64", (2,)),
        ([1.0, 2.0], "float64", (2,)),
        ([True, False], "bool", (2,)),
        ([np.float32(1), np.float32(2)], "float32", (2,)),
        ([np.zeros((2, 3)), np.zeros((2, 3))], "float64", (2, 2, 3)),
        ([creation.zeros(3), creation.zeros(3)], "float32", (2, 3)),
    ],
)
def test_numbers_arrays_and_tensors_become_a_tensor_as_in_pytorch(batch, dtype, shape):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    found = default_collate(batch)
    assert (found.dtype, found.shape) == (dtype, shape)
    theirs = [torch.zeros(3)] * 2 if hasattr(batch[0], "requires_grad") else batch
    assert str(torch.utils.data.default_collate(theirs).dtype) == f"torch.{dtype}"


def test_nested_samples_are_put_together_by_member():
    batch = default_collate([(Pair(1, {"a": 2.0}), "one"), (Pair(3, {"a": 4.0}), "two")])
    assert isinstance(batch, list)
    assert isinstance(batch[0], Pair)
    assert batch[0].x.tolist() == [1, 3]
    assert batch[0].y["a"].tolist() == [2, 4]
    assert batch[1] == ("one", "two")


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: DataLoader(dataset(), num_workers=2), NanogradError, "num_workers.*in this process: leave it out"),
        (lambda: DataLoader(dataset(), sampler=[1, 2]), NanogradError, r"sampler.*dataset\[i\] for i in indices"),
        (lambda: DataLoader(dataset(), batchsize=2), TypeError, "'batchsize'"),
        (lambda: DataLoader(dataset(), batch_size=0), ValueError, "at least 1; got 0"),
        (lambda: DataLoader(iter([1])), TypeError, r"use list\(...\)"),
        (lambda: TensorDataset(creation.zeros(2), creation.zeros(3)), ShapeError, r"\(2,\), \(3,\)"),
        (lambda: default_collate([[1, 2], [1]]), ShapeError, "pads or cuts"),
        (lambda: default_collate([object()]), TypeError, "not object; give a collate_fn"),
        (lambda: Dataset()[0], NotImplementedError, "Dataset defines no __getitem__"),
    ],
)
def test_what_does_not_fit_is_told(make, error, words):
    with pytest.raises(error, match=words):
        make()
