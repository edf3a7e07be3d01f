import pytest

from nanograd import errors


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.ShapeError, ValueError), (errors.GraphError, RuntimeError), (errors.SettingsError, ValueError),
        (errors.CorpusError, ValueError), (errors.VocabularyError, ValueError), (errors.CheckpointError, ValueError),
    ],
)  # fmt: skip
def test_each_error_is_nanograds_and_of_a_builtin_kind(error, builtin):
    assert issubclass(error, errors.NanogradError)
    assert issubclass(error, builtin)


def test_a_settings_error_says_every_problem():
    error = errors.SettingsError({"lr": "Too high.", "seed": "Too low."})
    assert str(error) == "Too high. Too low."
    assert error.problems["seed"] == "Too low."
