"""Products of matrices and einsum equal PyTorch's."""

import numpy as np
import pytest

MATMUL = [
    ("3", "3"), ("2,3", "3"), ("3", "3,4"), ("2,3", "3,4"), ("5,2,3", "3,4"), ("2,3", "5,3,4"), ("5,2,3", "5,3,4"), ("5,1,2,3", "6,3,4"),
    ("1,2,3", "5,3,4"), ("3", "5,3,4"), ("5,2,3", "3"), ("2,0", "0,3"), ("0,2", "2,3"), ("0,2,3", "3,4"), ("2,3", "0,3,1"), ("0", "0"),
    ("t2,3", "r3,4"), ("r5,2,3", "t3,4"), ("2,3", "2,3"), ("3", "4"), ("()", "3"), ("2,3", "()"), ("2,2,3", "3,3,4"), ("i2,3", "i3,4"),
    ("i2,3", "3,4"), ("n2,3", "3,4"), ("2,3", "1,3,4"), ("4,5,2,3", "3"), ("3", "4,5,3,2"), ("1,1", "1,1"), ("4,1,2,3", "4,5,3,2"),
]  # fmt: skip
EINSUM = [
    ("ij,jk->ik", "2,3", "3,4"), ("ij,jk", "2,3", "3,4"), ("i,i->", "3", "3"), ("i,j->ij", "3", "4"), ("ij->ji", "2,3"), ("ij->", "2,3"),
    ("ij->j", "2,3"), ("ii->i", "3,3"), ("ii->", "3,3"), ("ii", "3,3"), ("iij->ij", "2,2,3"), ("iij->j", "2,2,3"), ("iii->i", "2,2,2"),
    ("bij,bjk->bik", "2,3,4", "2,4,2"), ("...ij,...jk->...ik", "2,3,4", "4,2"), ("...ij,...jk", "2,1,3,4", "5,4,2"), ("...i->...", "2,3,4"),
    ("i...->...i", "2,3,4"), ("...,...->...", "2,3", "3"), ("b...,b...->b", "2,3,4", "2,3,4"), ("i...j->j...", "2,3,4"), ("...ii->...i", "2,3,3"),
    ("ij,jk,kl->il", "2,3", "3,4", "4,2"), ("i,ij,j->", "2", "2,3", "3"), ("ij,ij,ij->ij", "2,3", "2,3", "2,3"), ("bhqd,bhkd->bhqk", "2,2,3,4", "2,2,5,4"),
    ("ij,kl->", "2,3", "2,2"), ("ij,kl->il", "2,3", "2,2"), ("ij,j->ij", "2,3", "3"), ("ij,jk->ik", "2,1", "3,4"), ("ij,ij->i", "2,3", "2,1"),
    ("ij,ij->", "1,3", "2,3"), ("i,->i", "3", "()"), (",->", "()", "()"), ("ij,jk->ik", "0,3", "3,2"), ("ij,jk->ik", "2,0", "0,2"), ("ba", "2,3"),
    ("aB,Bc", "2,3", "3,2"), ("b a -> a b", "2,3"), ("ij,jk->ik", "2,3", "2,3"), ("ij", "2,3,4"), ("ij->k", "2,3"), ("ij,jk->ik", "2,3"),
    ("ij->ijj", "2,3"), ("ii->i", "2,3"), ("ij,jk->ik", "t2,3", "r3,4"), ("ij,jk->ik", "i2,3", "i3,2"), ("ii,ii->i", "3,3", "3,3"), ("i,i,i->i", "3", "3", "3"),
    ("...->", "2,3"), ("ij->i...", "2,3"), ("i...,i->...", "2,3,4", "2"), ("i j", "2,3"), ("ab,ab", "2,3", "2,3"), ("ij...,jk->ik...", "2,3,2", "3,2"),
]  # fmt: skip
CASES = [
    *[(f"{expression}", *pair) for expression in ("x @ y", "m.matmul(x, y)") for pair in MATMUL],
    *[("m.bmm(x, y)", *pair) for pair in [("2,3,4", "2,4,1"), ("0,3,4", "0,4,1"), ("2,3,4", "1,4,1"), ("2,3,4", "4,1"), ("t2,3,4", "r2,4,2")]],
    *[("x.outer(y)", *pair) for pair in [("3", "4"), ("0", "2"), ("r3", "2"), ("2,2", "2"), ("i2", "i3"), ("i2", "3")]],
    *[("x @ x", "3,3"), ("x @ x.T", "2,3"), ("x.T @ x", "2,3"), ("x @ x", "3"), ("m.outer(x, x)", "3"), ("(x @ y).T @ x", "3,3", "3,3"), ("x.bmm(x)", "2,3,3")],
    *[("x.matmul(y)", "3,2", "2"), ("x @ y.double()", "2,2", "2,2"), ("x[0] @ x[:, 0]", "3,3"), ("x @ 2", "2,2")],
    *[(f"m.einsum({equation!r}, {', '.join('xyw'[: len(operands)])})", *operands) for equation, *operands in EINSUM],
    *[("m.einsum('ij,ij->i', x, x)", "2,3"), ("m.einsum('ij,kj->ik', x, x)", "2,3"), ("m.einsum('i,i', [x, x])", "3")],
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_product_is_pytorchs(case, dtype, compare):
    compare(*case, dtype=dtype)


SMOOTH = [
    *[("x @ y", *pair) for pair in MATMUL[:11]],
    *[(f"m.einsum({equation!r}, {', '.join('xyw'[: len(operands)])})", *operands) for equation, *operands in EINSUM[:36]],
    *[("x.bmm(y)", "2,2,3", "2,3,2"), ("x.outer(y)", "2", "3"), ("x @ x", np.eye(3))],
]


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_product_gradient_is_the_slope(case, check_gradient):
    check_gradient(*case)
