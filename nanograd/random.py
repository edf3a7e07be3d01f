"""Where all chance comes from: generators that can be seeded, and streams that are functions of a seed."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from zlib import crc32

import numpy as np

from nanograd.dtype import check_device


class Generator:
    """A source of random numbers with a state of its own, as torch.Generator; `numpy` draws from it.

    It is numpy's SFC64, a fast generator of 64-bit numbers.
    """

    def __init__(self, seed: int | Sequence[int] = 0, device: Any = None) -> None:
        check_device(device)
        self.manual_seed(seed)

    def manual_seed(self, seed: int | Sequence[int]) -> "Generator":
        """Start again from `seed`, an integer of at least 0, or several."""
        self.numpy = np.random.Generator(np.random.SFC64(seed))
        return self


def stream(seed: int, purpose: str, *position: int) -> Generator:
    """A generator for one purpose at one position, such as ("batch", step).

    It depends on nothing but its arguments, so a run that goes on at step 500 draws what it would have drawn anyway.
    """
    return Generator([seed, crc32(purpose.encode()), *position])


_local = threading.local()  # `generator`, where `using` set one in this thread
_default = Generator(np.random.SeedSequence().generate_state(1)[0].item())


def manual_seed(seed: int) -> Generator:
    """Seed the generator that everything draws from where no other is given, and return it."""
    return _default.manual_seed(seed)


def current_generator() -> Generator:
    """The generator that `using` set in this thread, otherwise the one that `manual_seed` seeds."""
    return getattr(_local, "generator", None) or _default


def numpy_draws(generator: Generator | None) -> np.random.Generator:
    """What draws for a generator, or for the current one where none is given."""
    return (generator or current_generator()).numpy


@contextmanager
def using(generator: Generator) -> Iterator[None]:
    """Let everything in this thread that is given no generator draw from `generator` inside the block."""
    before = getattr(_local, "generator", None)
    _local.generator = generator
    try:
        yield
    finally:
        _local.generator = before
