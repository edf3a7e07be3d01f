"""The looks at a model over its run, kept in the run's folder: what the slider through time shows after the run is opened again."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nanograd.errors import CheckpointError
from nanograd.model_state import load_tensors, save_tensors
from nanograd.training.events import Inside, Predictions, ProbeTaken

LOOKS_FOLDER = "looks"
BUDGET_BYTES = 32_000_000
MOST = 600
_Arrays = dict[str, NDArray[Any]]


class KeptLooks:
    """Files of looks, each with those between two checkpoints, named for their first and last step.

    Beyond the budget every second look goes, and the rest are put into one file.
    """

    def __init__(self, run: Path) -> None:
        self._folder = run / LOOKS_FOLDER

    def add(self, looks: Sequence[ProbeTaken]) -> None:
        """Keep these, which come after all others; raises CheckpointError or OSError where they cannot be written."""
        if not looks:
            return
        self._folder.mkdir(exist_ok=True)
        self._write(looks)
        if sum(path.stat().st_size for path in self._paths()) > BUDGET_BYTES:
            self._thin()

    def load(self, last_step: int, vocabulary: tuple[str, ...]) -> tuple[ProbeTaken, ...]:
        """The looks up to `last_step`, oldest first; damaged files are left out. `vocabulary` is that of the run's tokenizer."""
        found: dict[int, ProbeTaken] = {}
        for path in self._paths():
            with suppress(CheckpointError, KeyError, ValueError, TypeError):
                found |= {look.step: look for look in _read(path, vocabulary)}
        steps = sorted(step for step in found if step <= last_step)
        stride = max(-(-len(steps) // MOST), 1)
        return tuple(found[step] for step in steps[(len(steps) - 1) % stride :: stride])  # the newest among them

    def forget_after(self, step: int) -> None:
        """Remove what a run left from beyond the step that it goes on from; raises OSError where that fails."""
        for path in self._paths():
            first, last = _span(path)
            if last > step:
                looks = [look for look in self.load(step, ()) if first <= look.step] if first <= step else []
                if looks:
                    self._write(looks)
                path.unlink()

    def _thin(self) -> None:
        paths = self._paths()
        looks = self.load(_span(paths[-1])[1], ())
        self._write(looks[(len(looks) - 1) % 2 :: 2])  # the newest stays
        for path in paths:
            if path != self._place(looks[(len(looks) - 1) % 2 :: 2]):
                path.unlink()

    def _write(self, looks: Sequence[ProbeTaken]) -> None:
        arrays: _Arrays = {}
        texts = []
        for look in looks:
            arrays |= {f"{look.step}.{name}": array for name, array in _arrays_of(look).items()}
            texts.append(_texts_of(look))
        save_tensors(self._place(looks), arrays, {"looks": json.dumps(texts)})

    def _place(self, looks: Sequence[ProbeTaken]) -> Path:
        return self._folder / f"steps-{looks[0].step:09d}-{looks[-1].step:09d}.safetensors"

    def _paths(self) -> list[Path]:
        """In the order of their steps."""
        with suppress(OSError):
            return sorted(path for path in self._folder.glob("steps-*.safetensors") if _span(path) != (-1, -1))
        return []


def _span(path: Path) -> tuple[int, int]:
    """The first and the last step of a file by its name; -1 where the name tells none."""
    _, first, last = [*path.stem.split("-"), "", ""][:3]
    return (int(first), int(last)) if first.isdecimal() and last.isdecimal() else (-1, -1)


def _arrays_of(look: ProbeTaken) -> _Arrays:
    arrays = {"weights": look.weights}
    if look.scores is not None:
        arrays["scores"] = look.scores
    for part, value in (("predictions", look.predictions), ("inside", look.inside)):
        if value is not None:
            arrays |= {f"{part}.{name}": getattr(value, name) for name in _array_names(type(value))}
    return arrays


def _texts_of(look: ProbeTaken) -> dict[str, Any]:
    inside = look.inside
    told = None if inside is None else {"kinds": inside.kinds, "parts": inside.parts, "changed_at": inside.changed_at}
    return {"step": look.step, "tokens": look.tokens, "inside": told}


def _array_names(kind: type[Predictions] | type[Inside]) -> list[str]:
    return [field.name for field in fields(kind) if field.name not in ("vocabulary", "kinds", "parts", "changed_at")]


def _read(path: Path, vocabulary: tuple[str, ...]) -> list[ProbeTaken]:
    arrays, metadata = load_tensors(path)
    return [_look_of(values, arrays, vocabulary) for values in json.loads(metadata["looks"])]


def _look_of(values: dict[str, Any], arrays: _Arrays, vocabulary: tuple[str, ...]) -> ProbeTaken:
    step = int(values["step"])
    own = {name.partition(".")[2]: array for name, array in arrays.items() if name.partition(".")[0] == str(step)}
    predictions, inside = None, None
    if "predictions.ids" in own:
        named = {name: own[f"predictions.{name}"] for name in _array_names(Predictions)}
        predictions = Predictions(vocabulary=vocabulary, **named)
    if values["inside"] is not None:
        told = values["inside"]
        inside = Inside(
            kinds=tuple(told["kinds"]),
            parts=tuple(told["parts"]),
            changed_at=told["changed_at"],
            **{name: own[f"inside.{name}"] for name in _array_names(Inside)},
        )
    return ProbeTaken(
        step=step,
        tokens=tuple(values["tokens"]),
        weights=own["weights"],
        predictions=predictions,
        scores=own.get("scores"),
        inside=inside,
    )
