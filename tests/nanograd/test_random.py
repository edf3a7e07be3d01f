import threading

import numpy as np
import pytest

from nanograd.random import Generator, current_generator, manual_seed, stream, using


def draws(generator):
    return generator.numpy.random(4).tolist()


def test_the_same_seed_draws_the_same():
    assert draws(Generator(3)) == draws(Generator(3)) != draws(Generator(4))


def test_manual_seed_starts_the_default_generator_again():
    manual_seed(5)
    first = draws(current_generator())
    assert draws(manual_seed(5)) == first


@pytest.mark.parametrize("other", [(8, "batch", 1), (7, "dropout", 1), (7, "batch", 2), (7, "batch")])
def test_a_stream_depends_on_seed_purpose_and_position(other):
    assert draws(stream(7, "batch", 1)) == draws(stream(7, "batch", 1)) != draws(stream(*other))


def test_a_stream_leaves_the_default_generator_alone():
    manual_seed(1)
    expected = draws(current_generator())
    manual_seed(1)
    draws(stream(1, "batch", 0))
    with using(Generator(9)):
        inside = draws(current_generator())
    assert inside == draws(Generator(9))
    assert draws(current_generator()) == expected


def test_using_is_each_threads_own():
    seen, special = [], Generator(1)
    with using(special):
        thread = threading.Thread(target=lambda: seen.append(current_generator()))
        thread.start()
        thread.join()
        assert current_generator() is special
    assert seen == [current_generator()]


def test_using_ends_with_an_error():
    special = Generator(1)

    def fail():
        with using(special):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert current_generator() is not special


def test_draws_are_even():
    counts = np.histogram(Generator(0).numpy.random(100_000), bins=10, range=(0, 1))[0]
    assert (abs(counts - 10_000) < 500).all()
