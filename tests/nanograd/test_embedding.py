import numpy as np
import pytest

from nanograd.autograd import gradcheck
from nanograd.creation import tensor
from nanograd.embedding import Embedding, embedding, embedding_definition
from nanograd.errors import ShapeError
from nanograd.tensor import Tensor

IDS = {"row": [1, 0, 1, 1], "table": [[0, 2], [2, 2]], "one": 3, "none": np.zeros(0, int)}


@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
@pytest.mark.parametrize("function", [embedding, embedding_definition])
def test_gradient_with_repeated_ids(function, ids, generator):
    weight = tensor(generator.standard_normal((4, 3)), requires_grad=True)
    assert gradcheck(lambda w: function(tensor(ids), w), weight)


@pytest.mark.parametrize("count", [10, 4096, 4097, 10_000])
def test_fused_equals_definition_for_small_and_large_vocabularies(count, generator):
    array, ids = generator.standard_normal((count, 3)), tensor(generator.integers(0, count, (40, 50)))
    scale, gradients = tensor(generator.standard_normal((40, 50, 3))), []
    for function in (embedding, embedding_definition):
        weight = tensor(array, requires_grad=True)
        result = function(ids, weight)
        np.testing.assert_array_equal(result.array, array[ids.array])
        (result * scale).sum().backward()
        gradients.append(weight.grad.array)
    np.testing.assert_allclose(*gradients, rtol=1e-12, atol=1e-13)


def test_gradient_of_no_ids_in_a_large_vocabulary_is_0():
    weight = Tensor(np.ones((5000, 2)), requires_grad=True)
    embedding(tensor(np.zeros((0, 3), int)), weight).sum().backward()
    assert not weight.grad.array.any()


@pytest.mark.parametrize(
    ("ids", "words"), [([0, 5], "from 0 to 4; got 5"), ([-1, 0], "from 0 to 4; got -1"), ([0.0], "float32: use .long")]
)
def test_ids_that_do_not_fit_are_named(ids, words):
    with pytest.raises(ShapeError, match=words):
        Embedding(5, 2)(tensor(ids))


def test_initial_table_has_deviation_1():
    weight = Embedding(1000, 50).weight.array
    assert abs(weight.mean()) < 0.02
    assert abs(weight.std() - 1) < 0.02
