"""A run in one file: everything it needs to go on bit for bit, with its curve."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nanograd import model_state
from nanograd.errors import CheckpointError, NanogradError
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.text.choice import tokenizer_from_dict
from nanograd.text.corpus import Corpus
from nanograd.text.source import TextSource
from nanograd.text.tokenizer import Tokenizer
from nanograd.training.digest import DigestChain
from nanograd.training.estimate import parameter_count
from nanograd.training.metrics import METRIC_NAMES, Metrics, MetricsArrays
from nanograd.training.settings import RunSettings, declared_settings
from nanograd.training.trainer import Trainer, build_model

FORMAT = "nanograd run"
VERSION = 1
_STREAMS = "SFC64, seeded with [seed, crc32(purpose), step] for each purpose and step"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusRecord:
    """Which text a run learns from; `digest` is the SHA-256 of its UTF-8, `source` and `stamp` tell of its files."""

    name: str
    path: str
    digest: str
    character_count: int
    source: dict[str, Any] = field(default_factory=dict)
    stamp: str = ""

    @classmethod
    def of(cls, corpus: Corpus) -> Self:
        """The record of a corpus."""
        path = "" if corpus.path is None else str(corpus.path)
        return cls(
            name=corpus.name, path=path, digest=corpus.digest, character_count=corpus.character_count,
            source=corpus.source.as_dict() if corpus.source else {}, stamp=corpus.stamp,
        )  # fmt: skip

    def text_source(self) -> TextSource | None:
        """The files that the text came from; None for a text without."""
        source = TextSource.from_dict(self.source)
        return source or (TextSource(paths=(Path(self.path),)) if self.path else None)

    def as_dict(self) -> dict[str, Any]:
        """The record as JSON takes it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SavedRun:
    """What a checkpoint holds; `tensors` and `metadata` are the file's own."""

    name: str
    settings: RunSettings
    tokenizer: Tokenizer
    step: int
    probe: str
    corpus: CorpusRecord
    metrics: MetricsArrays
    digests: dict[int, str]
    tensors: dict[str, NDArray[Any]]
    metadata: dict[str, str]

    def build_model(self) -> GPTLanguageModel:
        """The model alone, to look at and to generate with; raises CheckpointError where the file does not fit it."""
        self._check_size()
        model = build_model(self.settings, self.tokenizer.vocabulary_size)
        model_state.restore(self.tensors, self.metadata, model=model, name=self.name)
        return model

    def build_trainer(self, corpus: Corpus) -> Trainer:
        """A trainer that goes on where the run stood; raises CheckpointError where the file or the text does not fit."""
        if corpus.digest != self.corpus.digest:
            raise CheckpointError(
                f"{self.name} was trained on {self.corpus.name}, and {corpus.name} is another text; open {self.corpus.name}."
            )
        if not corpus.is_encoded_by(self.tokenizer):
            raise CheckpointError(
                f"{self.name} was trained on {self.corpus.name} with other tokens; open {self.corpus.name} again."
            )
        self._check_size()
        trainer = Trainer(self.settings, corpus, probe="")
        model_state.restore(self.tensors, self.metadata, model=trainer.model, optimizer=trainer.optimizer, name=self.name)
        trainer.apply_settings()
        trainer.step = self.step
        trainer.metrics = Metrics(self.metrics)
        trainer.digests = DigestChain(self.digests)
        trainer.set_probe(self.probe)
        return trainer

    def _check_size(self) -> None:
        """Raise CheckpointError where the settings describe another model than was saved, before memory is taken for it."""
        held = sum(array.size for name, array in self.tensors.items() if name.startswith("model."))
        described = parameter_count(self.settings, self.tokenizer.vocabulary_size)
        if held != described:
            raise CheckpointError(
                f"{self.name} does not fit itself: it holds {held:,} weights, and its settings describe {described:,}. "
                "Choose another checkpoint."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A saved run in a few words: its text, the step that it goes on from, how far it was to go, and its best validation loss.

    One that `is_newer` cannot be opened by this version.
    """

    corpus_name: str
    step: int
    max_steps: int
    best_loss: float | None = None
    is_newer: bool = False


def save_run(path: Path, trainer: Trainer, set_aside: Path | None = None) -> None:
    """Write the run to `path`, whole or not at all; raises CheckpointError where that fails.

    A file that was there before moves to `set_aside` where that is given.
    """
    metrics = trainer.metrics.arrays()
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "step": str(trainer.step),
        "settings": json.dumps(trainer.settings.as_dict()),
        "tokenizer": json.dumps(trainer.tokenizer.as_dict()),
        "probe": json.dumps(trainer.probe),
        "corpus": json.dumps(CorpusRecord.of(trainer.corpus).as_dict()),
        "best_validation_loss": json.dumps(float(metrics.validation_loss.min()) if len(metrics.validation_loss) else None),
        "digests": json.dumps(trainer.digests.as_dict()),
        "generators": json.dumps({"seed": trainer.settings.seed, "step": trainer.step, "streams": _STREAMS}),
    }
    model_state.save(
        path,
        model=trainer.model,
        optimizer=trainer.optimizer,
        metadata=metadata,
        arrays={f"metrics.{name}": getattr(metrics, name) for name in METRIC_NAMES},
        set_aside=set_aside,
    )


def load_run(path: Path) -> SavedRun:
    """Read what `save_run` wrote; raises CheckpointError where the file is damaged, foreign or of a newer version."""
    tensors, metadata = model_state.load_tensors(path)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path.name} holds weights, but no nanograd run; choose a checkpoint that this program saved.")
    if metadata.get("version") != str(VERSION):
        raise CheckpointError(f"{path.name} comes from a newer version of nanograd; open it there, or update this one.")
    try:
        return _parse(path.name, tensors, metadata)
    except (NanogradError, KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{path.name} is damaged: its description of the run is not complete ({error}).") from error


def summarize(path: Path) -> RunSummary | None:
    """What the head of a checkpoint tells, without reading the rest; None where it is missing or damaged."""
    metadata = model_state.read_metadata(path) or {}
    try:
        settings = json.loads(metadata["settings"])
        return RunSummary(
            corpus_name=str(json.loads(metadata["corpus"])["name"]),
            step=int(metadata["step"]),
            max_steps=int(settings["max_steps"]),
            best_loss=_number(json.loads(metadata.get("best_validation_loss", "null"))),
            is_newer=metadata["version"] != str(VERSION) or not set(settings) <= set(declared_settings()),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def summarize_newest(paths: Iterable[Path]) -> RunSummary | None:
    """What the first of a run's checkpoints that can be read tells, newest first; None where none can."""
    return next(filter(None, map(summarize, paths)), None)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _parse(name: str, tensors: dict[str, NDArray[Any]], metadata: dict[str, str]) -> SavedRun:
    step, probe = json.loads(metadata["step"]), json.loads(metadata["probe"])
    if type(step) is not int or step < 0 or not isinstance(probe, str):
        raise ValueError("step or probe is of the wrong kind")
    record = CorpusRecord(**json.loads(metadata["corpus"]))
    texts = (record.name, record.path, record.digest, record.stamp)
    if (
        not all(isinstance(value, str) for value in texts)
        or type(record.character_count) is not int
        or not isinstance(record.source, dict)
    ):
        raise ValueError("the record of the text is of the wrong kind")
    return SavedRun(
        name=name,
        settings=RunSettings.from_dict(json.loads(metadata["settings"])),
        tokenizer=tokenizer_from_dict(json.loads(metadata["tokenizer"])),
        step=step,
        probe=probe,
        corpus=record,
        metrics=_metrics(tensors),
        digests=_digests(json.loads(metadata.get("digests", "{}")), step),
        tensors=tensors,
        metadata=metadata,
    )


def _digests(values: Any, last_step: int) -> dict[int, str]:
    found = {int(step): digest for step, digest in values.items()}
    if not all(0 <= step <= last_step and re.fullmatch("[0-9a-f]{64}", digest) for step, digest in found.items()):
        raise ValueError("the digests of the weights are of the wrong kind")
    return found


def _metrics(tensors: dict[str, NDArray[Any]]) -> MetricsArrays:
    arrays = {name: tensors[f"metrics.{name}"] for name in METRIC_NAMES}
    lengths = {name: len(array) if array.ndim == 1 else -1 for name, array in arrays.items()}
    along_steps = {lengths[name] for name in METRIC_NAMES if not name.startswith("validation")}
    along_evaluations = {lengths["validation_steps"], lengths["validation_loss"]}
    if len(along_steps) > 1 or len(along_evaluations) > 1 or -1 in along_steps | along_evaluations:
        raise ValueError("the curves are not of one length")
    for name in ("steps", "validation_steps"):
        if (np.diff(arrays[name]) <= 0).any():
            raise ValueError("the steps of a curve are not in order")
    return MetricsArrays(**arrays)
