import subprocess
import sys

import pytest

from nanograd.training.native import blas_threads, can_set_blas_threads, core_count, keep_freed_memory

COUNT_FAULTS = """
import resource, sys
import numpy as np
from nanograd.training.native import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
for _ in range(10):
    [np.ones(2_000_000, np.float32) for _ in range(10)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    [np.ones(2_000_000, np.float32) for _ in range(10)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_there_is_a_core_at_least():
    assert core_count() >= 1


@pytest.mark.skipif(not can_set_blas_threads(), reason="numpy's BLAS here cannot be told how many threads to use")
def test_the_threads_of_blas_are_set_inside_the_block_only():
    from nanograd.training.native import _blas

    count = _blas()[0]
    before = count()
    with blas_threads(1):
        assert count() == 1
    assert count() == before
    with pytest.raises(ZeroDivisionError), blas_threads(1):
        1 / 0  # noqa: B018
    assert count() == before


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told to keep what is freed")
def test_memory_that_was_freed_is_not_asked_for_again():
    faults = {
        mode: int(subprocess.run([sys.executable, "-c", COUNT_FAULTS, mode], capture_output=True, text=True, check=True).stdout)
        for mode in ("keep", "return")
    }
    assert faults["keep"] < 0.1 * faults["return"]


def test_keeping_memory_twice_is_no_error():
    keep_freed_memory()
    keep_freed_memory()
