"""The error function, which numpy does not have."""

from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebval
from numpy.typing import NDArray

# Chebyshev coefficients, computed to 40 digits by interpolation at 200 nodes:
# erf(x) / x in u = 2 x^2 - 1 for |x| <= 1, and exp(x^2) erfc(x) in t = 1 / (1 + x/2), scaled to [-1, 1], for 1 < x <= 7.
_NEAR = np.array([
    0.9754769393826541, -0.14226120510371365, 0.010035582187599796, -0.0005768764699767485, 2.741993125219606e-05,
    -1.1043175507344507e-06, 3.8488755420345036e-08, -1.1808582533875466e-09, 3.2334215826050907e-11,
    -7.991015947004549e-13, 1.7990725113961456e-14, -3.718635487818693e-16,
])  # fmt: skip
_FAR = np.array([
    0.2322151133913015, 0.1722520400270329, 0.021443083947251043, 0.0016460758469527778, 3.3973680745034725e-05,
    -6.396676797234782e-06, -3.583450135262004e-07, 4.213574686691952e-08, 2.57989249735401e-09, -4.2447058115114867e-10,
    -1.1574379500808312e-11, 4.9120775916864605e-12, -1.271537986960161e-13, -5.003514164996795e-14,
    5.054937685602781e-15, 2.5725028634295073e-16, -9.007036720923898e-17,
])  # fmt: skip
_FAR_BEGIN, _FAR_END = 1 / (1 + 7 / 2), 1 / (1 + 1 / 2)


def erf_array(x: NDArray[Any]) -> NDArray[Any]:
    """2/sqrt(pi) times the integral of exp(-t^2) from 0 to x, within 1e-15, in the shape and dtype of `x`."""
    wide = np.asarray(x, np.float64)
    size = np.abs(wide)
    near = np.minimum(size, 1.0)
    t = 1 / (1 + 0.5 * np.maximum(size, 1.0))
    u = (2 * t - _FAR_BEGIN - _FAR_END) / (_FAR_END - _FAR_BEGIN)
    far = 1 - np.exp(-np.square(np.minimum(size, 7.0))) * chebval(u, _FAR)
    result = np.where(size <= 1, near * chebval(2 * near * near - 1, _NEAR), far)
    signed: NDArray[Any] = np.copysign(result, wide).astype(x.dtype)
    return signed
