"""Data sets and batches of them, as torch.utils.data: samples by position, put together N at a time, in random order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nanograd.creation import randperm, tensor
from nanograd.errors import ShapeError, refuse
from nanograd.joining import stack
from nanograd.outside import LOADER_ARGUMENTS
from nanograd.random import Generator
from nanograd.tensor import Tensor

Collate = Callable[[list[Any]], Any]


class Dataset:
    """The base of data sets: a subclass defines `__getitem__(index)` and `__len__()`."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no __getitem__().")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} defines no __len__().")


class TensorDataset(Dataset):
    """Samples along the first dimension of tensors (N, ...): each is a tuple of one part of each tensor.

    >>> TensorDataset(tensor([1, 2, 3]), tensor([4, 5, 6]))[1]
    (tensor(2), tensor(5))
    """

    def __init__(self, *tensors: Tensor) -> None:
        if not tensors or any(len(part) != len(tensors[0]) for part in tensors):
            raise ShapeError(f"TensorDataset takes tensors of one length; got {[part.shape for part in tensors]}.")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(part[index] for part in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


def default_collate(batch: Sequence[Any]) -> Any:
    """N samples as one: tensors, arrays and numbers become a tensor (N, ...), tuples and dicts are put together by member.

    Texts stay in a list. A Python float gives float64, as in PyTorch.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(list(batch))
    if isinstance(first, np.ndarray | np.generic | bool | int | float):
        return tensor(np.stack([np.asarray(sample) for sample in batch]))
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise ShapeError("Samples of different lengths do not make a batch; give a collate_fn that pads or cuts them.")
        members = [default_collate(part) for part in zip(*batch, strict=True)]
        return type(first)(*members) if hasattr(first, "_fields") else members
    kind = type(first).__name__
    raise TypeError(f"Samples are tensors, arrays, numbers, texts, tuples or dicts, not {kind}; give a collate_fn for others.")


class DataLoader:
    """Batches of `batch_size` samples, in order or, with `shuffle`, in a new random order each time it is gone through.

    The last batch may be smaller, unless `drop_last`. Order is drawn from `generator`, or else from the one `manual_seed`
    seeds. `collate_fn` makes a batch of a list of samples.

    >>> [batch.tolist() for batch in DataLoader(range(5), batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Dataset | Sequence[Any],
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        collate_fn: Collate | None = None,
        generator: Generator | None = None,
        **others: Any,
    ) -> None:
        for name, value in others.items():
            if name not in LOADER_ARGUMENTS:
                raise TypeError(f"DataLoader takes no argument {name!r}.")
            refuse(bool(value), f"DataLoader's {name}", LOADER_ARGUMENTS[name])
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise TypeError(f"A data set has a length and samples by position, not a {type(dataset).__name__}: use list(...).")
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"batch_size is a whole number of at least 1; got {batch_size!r}.")
        self.dataset, self.batch_size, self.shuffle, self.drop_last = dataset, batch_size, shuffle, drop_last
        self.collate_fn = collate_fn or default_collate
        self.generator = generator

    def __len__(self) -> int:
        count = len(self.dataset)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        count, size = len(self.dataset), self.batch_size
        order = randperm(count, generator=self.generator).array if self.shuffle else np.arange(count)
        return (self._batch(order[begin * size : (begin + 1) * size]) for begin in range(len(self)))

    def _batch(self, positions: np.ndarray[Any, Any]) -> Any:
        if type(self.dataset) is TensorDataset and self.collate_fn is default_collate:
            return list(self.dataset[positions])  # the same numbers, taken out at once
        return self.collate_fn([self.dataset[position] for position in positions.tolist()])
