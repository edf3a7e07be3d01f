"""Attention: values and gradients are PyTorch's, with every kind of mask; MultiheadAttention too, with equal weights."""

import numpy as np
import pytest

import nanograd
from nanograd import nn
from nanograd.attention import attention_definition, scaled_dot_product_attention
from nanograd.errors import ShapeError

BATCHES = [
    ("2,3,4,5", "2,3,6,5", "2,3,6,7"), ("4,5", "6,5", "6,5"), ("3,4,5", "3,6,5", "3,6,2"), ("2,3,1,5", "2,3,1,5", "2,3,1,5"),
    ("2,1,4,5", "2,3,6,5", "2,3,6,5"), ("0,3,4,5", "0,3,6,5", "0,3,6,5"), ("t5,4,3,2", "r2,3,4,5", "2,3,4,5"), ("2,3,0,5", "2,3,6,5", "2,3,6,5"),
    ("2,3,4,1", "2,3,4,1", "2,3,4,1"),
]  # fmt: skip
SIXES = [kinds for kinds in BATCHES if "6,5" in kinds[1] and "0" not in kinds[0]]
SOME = np.random.default_rng(1).random((4, 6)) < 0.6
SOME[:, 0] = True
ROWS_OFF = SOME.copy()
ROWS_OFF[1:3] = False
BOOLS = {
    "some": SOME,
    "rows masked": ROWS_OFF,
    "all masked": np.zeros((4, 6), np.bool_),
    "one row": SOME[:1],
    "batch": np.stack([SOME, ROWS_OFF])[:, None],
}
SDPA = "m.nn.functional.scaled_dot_product_attention(x, y, w"
HUGE = np.random.default_rng(2).standard_normal((2, 4, 5)) * 1e3


def as_floats(mask):
    return np.where(mask, 0.0, -np.inf)


CASES = [
    *[(f"{SDPA}{given})", *kinds) for given in ("", ", is_causal=True", ", scale=0.3", ", is_causal=True, scale=2.0") for kinds in BATCHES],
    *[(f"{SDPA}, attn_mask=v)", *kinds, mask) for kinds in SIXES for name, mask in BOOLS.items()
      if name != "batch" or (len(kinds[0]) == 7 and kinds[0][0] == "2")],
    *[(f"{SDPA}, attn_mask=v)", *kinds, mask) for kinds in SIXES for mask in ("4,6", "1,6")],
    *[(f"{SDPA}, v.detach())", *kinds, as_floats(mask)) for kinds in SIXES for name, mask in BOOLS.items() if name != "batch"],
    *[(f"{SDPA}{given})", HUGE, HUGE, HUGE) for given in ("", ", is_causal=True")],
    (f"{SDPA}, attn_mask=v)", "2,3,4,5", "2,3,6,5", "2,3,6,5", "2,3,4,6"), (f"{SDPA}, v, is_causal=True)", "4,5", "6,5", "6,5", SOME),
    (f"{SDPA})", "4,5", "6,4", "6,5"), (f"{SDPA})", "4,5", "6,5", "5,5"), (f"{SDPA}, v)", "4,5", "6,5", "6,5", "3,6"),
    (SDPA.replace("y, w", "x, x") + ")", "2,3,4,5"),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_function_is_pytorchs(case, dtype, compare):
    compare(*case, dtype=dtype)


SMOOTH = [
    (f"{SDPA}, attn_mask=v)", "2,3,2", "2,4,2", "2,4,3", "3,4"), (f"{SDPA}, is_causal=True)", "3,2", "3,2", "3,2"),
    (f"{SDPA}, attn_mask=v, scale=0.7)", "2,1,4,3", "2,2,6,3", "2,2,6,2", ROWS_OFF),
]  # fmt: skip


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_gradient(case, check_gradient):
    check_gradient(*case)


def test_fast_form_equals_definition_in_value_and_gradient():
    draws, results = np.random.default_rng(0), []
    arrays = [draws.standard_normal(shape) for shape in ((2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 2), (4, 6))]
    for function in (scaled_dot_product_attention, lambda *given: attention_definition(*given)[0]):
        inputs = [nanograd.tensor(array, requires_grad=True) for array in arrays]
        result = function(*inputs)
        result.square().sum().backward()
        results.append([result.detach().numpy(), *[x.grad.numpy() for x in inputs]])
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_dropout_drops_weights_and_keeps_their_mean():
    nanograd.manual_seed(0)
    x, ones = nanograd.zeros(50, 20, 4), nanograd.ones(50, 20, 1)
    dropped = scaled_dot_product_attention(x, x, ones, dropout_p=0.25)
    assert abs(dropped.mean().item() - 1) < 0.02
    kept = np.round(dropped.array * 20 * 0.75)
    np.testing.assert_allclose(dropped.array * 20 * 0.75, kept, atol=1e-4)
    assert 10 < kept.mean() < 20


def test_dropout_gradient_is_of_the_same_draw():
    def value(x):
        nanograd.manual_seed(3)
        return scaled_dot_product_attention(x, x, x, dropout_p=0.5)

    assert nanograd.autograd.gradcheck(
        value, nanograd.tensor(np.random.default_rng(0).standard_normal((4, 3)), requires_grad=True)
    )


# ---- the layer: made by both from the same words, with PyTorch's weights ----------------------------------------------

PADDING = np.array([[False, False, True], [False, True, False]])
LATER = np.triu(np.ones((4, 3), np.bool_), 1)
CAUSAL = np.triu(np.ones((4, 4), np.bool_), 1)
EACH_HEAD = np.random.default_rng(4).standard_normal((4, 4, 3))
SELF = [
    *[("", f"m(x, x, x{given})", kind, masks) for kind in ("4,2,6", "4,6") for given, masks in
      (("", {}), (", need_weights=False", {}), (", average_attn_weights=False", {}), (", attn_mask=causal", {"causal": CAUSAL}),
       (", attn_mask=causal, is_causal=True, need_weights=False", {"causal": CAUSAL}), (", is_causal=True", {}))],
    *[(given, "m(x, x, x)", kind, {}) for given in ("bias=False", "batch_first=True", "kdim=6, vdim=6") for kind in ("2,4,6", "4,6", "t6,2,4", "1,1,6")],
]  # fmt: skip
CROSS = [
    *[("batch_first=True", f"m(x, y, y{more}{given})", "2,4,6", "2,3,6", masks)
      for more in ("", ", need_weights=False", ", average_attn_weights=False") for given, masks in
      (("", {}), (", key_padding_mask=padding", {"padding": PADDING}), (", attn_mask=later", {"later": LATER}),
       (", key_padding_mask=padding, attn_mask=later", {"padding": PADDING, "later": LATER}),
       (", attn_mask=each", {"each": EACH_HEAD}), (", attn_mask=each", {"each": as_floats(~LATER)}),
       (", key_padding_mask=padding, attn_mask=each", {"padding": as_floats(~PADDING), "each": EACH_HEAD}))],
    ("", "m(x, y, y, padding)", "4,2,6", "3,2,6", {"padding": PADDING}), ("", "m(x, y, y, padding)", "4,6", "3,6", {"padding": PADDING[0]}),
    ("", "m(x, y, y, padding)", "4,2,6", "3,2,6", {"padding": PADDING.T}), ("", "m(x, y, y, attn_mask=later)", "4,2,6", "3,2,6", {"later": LATER.T}),
    ("", "m(x, y, x)", "4,2,6", "3,2,6", {}), ("", "m(x, y, y)", "4,2,5", "3,2,5", {}),
]  # fmt: skip
LAYER = [*[(given, call, (kind,), masks) for given, call, kind, masks in SELF],
         *[(given, call, kinds, masks) for given, call, *kinds, masks in CROSS]]  # fmt: skip


@pytest.mark.parametrize(("given", "call", "kinds", "masks"), LAYER, ids=str)
def test_layer_is_pytorchs(given, call, kinds, masks, compare):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    theirs = eval(f"nn.MultiheadAttention(6, 2{', ' * bool(given)}{given})", {"nn": torch.nn}).double()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter)
    start = {name: value.numpy() for name, value in theirs.state_dict().items()}

    def run(m, x, y=None):
        module = theirs if m is torch else eval(f"nn.MultiheadAttention(6, 2{', ' * bool(given)}{given})", {"nn": nn}).double()
        module.load_state_dict({name: m.tensor(value) for name, value in start.items()})
        names = {"m": module, "x": x, "y": y, **{name: m.tensor(mask) for name, mask in masks.items()}}
        eval(call, names)[0].square().sum().backward()
        found = [parameter.grad.clone() for parameter in module.parameters()]
        result, weights = eval(call, names)
        return [result, *([] if weights is None else [weights]), *found, *module.state_dict()]

    compare(run, *kinds, dtype="float64")


def test_layer_drops_weights_in_training_only():
    layer, x = nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True), nanograd.rand(2, 8, 4)
    assert (layer(x, x, x, average_attn_weights=False)[1].array == 0).mean() > 0.3
    layer.eval()
    np.testing.assert_allclose(layer(x, x, x)[1].array.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(layer(x, x, x)[0].array, layer(x, x, x, need_weights=False)[0].array, rtol=1e-4, atol=1e-6)


def test_heads_that_do_not_divide_the_size_are_refused():
    with pytest.raises(ShapeError, match="num_heads 3 does not divide embed_dim 4"):
        nn.MultiheadAttention(4, 3)
