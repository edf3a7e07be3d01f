"""The errors that nanograd raises on purpose: each says what was expected, what came, and what to do."""

from typing import Any


class NanogradError(Exception):
    """The base of every error that a user's input can cause; its message is fit to be shown as it stands."""


class ArgumentError(NanogradError, ValueError, RuntimeError):
    """A value that an operation does not take; a RuntimeError too, since it is one in PyTorch."""


class ShapeError(ArgumentError):
    """Arrays whose shapes or dtypes do not fit together."""


class DimensionError(ShapeError, IndexError):
    """A dimension, or a place along one, that a tensor does not have."""


class GraphError(NanogradError, RuntimeError):
    """A graph that cannot be differentiated: freed already, no gradient required, or changed in place."""


class UnsupportedError(NanogradError, NotImplementedError):
    """Something that PyTorch offers and nanograd does not."""


class SettingsError(NanogradError, ValueError):
    """Settings out of bounds. `problems` maps a field's name to what is wrong with it."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


class CorpusError(NanogradError, ValueError):
    """A text that cannot be read, or that does not suit the model."""


class VocabularyError(NanogradError, ValueError):
    """Text or ids that lie outside a tokenizer's vocabulary."""


class CheckpointError(NanogradError, ValueError):
    """A checkpoint that is damaged, foreign, or could not be written."""


class RunLockedError(NanogradError):
    """A run that another window or process is writing."""


def refuse(is_asked: bool, name: str, instead: str) -> None:
    """Raise UnsupportedError where something outside of what nanograd has is asked for; `instead` says what to do."""
    if is_asked:
        raise UnsupportedError(f"{name} is not available here: {instead}.")


def refuse_inplace(inplace: bool) -> None:
    """Raise UnsupportedError where a function is to write over its input."""
    refuse(inplace, "inplace=True", "leave it out; the result is the same")


def check_indices(what: str, indices: Any, count: int) -> None:
    """Check indices, each of them `what`: ShapeError unless they are integers, DimensionError unless from 0 to below `count`."""
    if indices.dtype.kind not in "iu":
        raise ShapeError(f"{what} is an integer (int64); got {indices.dtype}: use .long().")
    if indices.size and (indices.min() < 0 or indices.max() >= count):
        wrong = indices.min() if indices.min() < 0 else indices.max()
        raise DimensionError(f"{what} is from 0 to {count - 1}; got {wrong}.")
