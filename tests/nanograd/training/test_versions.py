from nanograd.training.versions import present_versions, version_differences


def test_versions_are_told_and_agree_with_themselves():
    present = present_versions(2)
    assert present["parts"] == 2
    assert all(present[name] for name in ("nanograd", "python", "numpy", "blas", "machine"))
    assert version_differences(present, present) == []


def test_a_difference_is_put_in_words_and_the_likeliest_cause_comes_first():
    present = present_versions(2)
    differences = version_differences({**present, "python": "3.0", "parts": 4}, present)
    assert differences[0] == "the number of parts was 4 and is 2"
    assert differences[1].startswith("Python was 3.0")
