import math

import numpy as np

from nanograd.erf import erf_array


def test_erf_equals_the_standard_librarys_to_1e_15():
    x = np.concatenate([np.linspace(-8, 8, 20_001), [-1.0, 1.0, 7.0, 0.0, 1e-300, 5e-324, np.inf, -np.inf, 1e300]])
    expected = np.array([math.erf(value) for value in x.tolist()])
    np.testing.assert_allclose(erf_array(x), expected, rtol=0, atol=1e-15)


def test_erf_keeps_shape_dtype_sign_and_nan():
    assert erf_array(np.ones((2, 0, 3), np.float32)).shape == (2, 0, 3)
    assert erf_array(np.ones(1, np.float32)).dtype == np.float32
    assert math.copysign(1, erf_array(np.array(-0.0)).item()) == -1
    assert np.isnan(erf_array(np.array([np.nan]))).all()
