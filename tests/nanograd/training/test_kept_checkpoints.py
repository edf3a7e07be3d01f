import numpy as np
import pytest

from nanograd.model_state import save_tensors
from nanograd.training.kept_checkpoints import KeptCheckpoints


@pytest.fixture
def kept(tmp_path):
    return KeptCheckpoints(tmp_path)


def save(kept, step, losses=None, keep_every=0, budget_bytes=10**9):
    tensors, metadata = {"weights": np.zeros(250, np.float32)}, {"step": str(step)}
    save_tensors(kept.newest_path, tensors, metadata, kept.place_for_newest(step))
    kept.prune(losses or {}, keep_every, budget_bytes)


def steps(kept):
    return [checkpoint.step for checkpoint in kept.all()]


def test_the_last_two_the_best_and_every_nth_stay(kept):
    losses = {20: 3.0, 50: 1.0, 70: 2.0}
    for step in range(0, 110, 10):
        save(kept, step, {at: loss for at, loss in losses.items() if at <= step}, keep_every=40)
    assert steps(kept) == [0, 40, 50, 80, 90, 100]
    assert kept.paths()[0] == kept.newest_path


def test_where_a_run_goes_back_the_checkpoint_of_that_step_is_the_newest(kept):
    for step in (0, 10, 20, 30):
        save(kept, step, keep_every=10)
    kept.forget_after(10)
    assert steps(kept) == [0, 10]
    assert kept.place_for_newest(40) == kept.newest_path.parent / "checkpoints" / "step-000000010.safetensors"


def test_a_budget_takes_the_oldest_first_but_never_the_last_or_the_best(kept):
    for step in range(0, 60, 10):
        save(kept, step, {20: 1.0, 30: 2.0}, keep_every=10)
    size = kept.all()[0].byte_count
    kept.prune({20: 1.0, 30: 2.0}, 10, 4 * size)
    assert steps(kept) == [20, 30, 40, 50]
    kept.prune({20: 1.0, 30: 2.0}, 10, 1)
    assert steps(kept) == [20, 50]
    assert kept.byte_count() == 2 * size


def test_a_step_saved_twice_is_one_checkpoint_and_a_damaged_newest_is_replaced(kept):
    save(kept, 10)
    save(kept, 10)
    assert steps(kept) == [10]
    kept.newest_path.write_bytes(b"damaged")
    assert steps(kept) == []
    save(kept, 7)
    assert steps(kept) == [7]


def test_foreign_files_among_the_checkpoints_are_left_alone(kept):
    for step in (1, 2, 3):
        save(kept, step)
    foreign = kept.paths()[1].with_name("step-mine.safetensors")
    foreign.write_bytes(b"")
    save(kept, 4)
    assert steps(kept) == [3, 4]
    assert foreign.exists()
