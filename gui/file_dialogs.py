"""The questions for files that the window asks: which to open, and where to save. None where nothing was chosen."""

from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QFileDialog, QWidget

from nanograd.text.gpt2_files import MERGES_NAME, VOCABULARY_NAME

CHECKPOINT_SUFFIX: Final = ".safetensors"
_CHECKPOINTS: Final = f"Checkpoints (*{CHECKPOINT_SUFFIX})"
_TEXTS: Final = "Texts (*.txt *.md *.jsonl *.csv *.tsv *.json *.py)"
_LONGEST_STEM: Final = 60  # of a name suggested for a checkpoint: a text's own name may be as long as names can be


def ask_for_texts(parent: QWidget) -> tuple[Path, ...]:
    """Files to open as one text; none where nothing was chosen."""
    paths, _ = QFileDialog.getOpenFileNames(parent, "Open texts", "", f"{_TEXTS};;All files (*)")
    return tuple(map(Path, paths))


def ask_for_folder(parent: QWidget) -> Path | None:
    """A folder whose texts to open."""
    path = QFileDialog.getExistingDirectory(parent, "Open all texts of a folder")
    return Path(path) if path else None


def ask_for_vocabulary(parent: QWidget) -> Path | None:
    """The folder of a byte-pair vocabulary, of whose files either can be pointed at."""
    path, _ = QFileDialog.getOpenFileName(parent, "Open a vocabulary", "", f"Vocabularies ({VOCABULARY_NAME} {MERGES_NAME})")
    return Path(path).parent if path else None


def ask_for_checkpoint(parent: QWidget, start: Path) -> Path | None:
    """A checkpoint to open, looked for from `start` on."""
    path, _ = QFileDialog.getOpenFileName(parent, "Open a checkpoint", str(start), f"{_CHECKPOINTS};;All files (*)")
    return Path(path) if path else None


def ask_where_to_save(parent: QWidget, text_name: str, step: int) -> Path | None:
    """Where the checkpoint of a run on `text_name` goes; its ending is added where it is left out."""
    name = f"{Path(text_name).stem[:_LONGEST_STEM]}-{step}{CHECKPOINT_SUFFIX}"
    path, _ = QFileDialog.getSaveFileName(parent, "Save a checkpoint", name, _CHECKPOINTS)
    if not path:
        return None
    return Path(path if path.endswith(CHECKPOINT_SUFFIX) else path + CHECKPOINT_SUFFIX)
