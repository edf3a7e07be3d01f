"""The errors that nanograd raises on purpose: each says what was expected, what came, and what to do."""


class NanogradError(Exception):
    """The base of every error that a user's input can cause; its message is fit to be shown as it stands."""


class ShapeError(NanogradError, ValueError, RuntimeError):
    """Arrays whose shapes or dtypes do not fit together; a RuntimeError too, since it is one in PyTorch."""


class DimensionError(ShapeError, IndexError):
    """A dimension that a tensor does not have."""


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
