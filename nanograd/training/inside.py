"""What the numbers inside a model look like: its tokens in a plane, and how its weights, gradients and updates are spread."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanograd.gptlanguage import GPTLanguageModel
from nanograd.graph import Array
from nanograd.module import Parameter
from nanograd.training.events import Inside
from nanograd.training.native import blas_threads

MOST_TOKENS = 1024
NEIGHBOURS = 5
BINS = 61
_NUMBERS_OF_A_MATRIX = 4096
_WIDEST = 4.0

Samples = dict[str, Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Change:
    """What one step did, by parts of the model: some of the gradients, as the optimizer got them, and of the updates."""

    step: int
    gradients: Samples
    updates: Samples


def sample_weights(model: GPTLanguageModel) -> Samples:
    """Some numbers of each matrix, evenly spread, by parts of the model: the embeddings, each layer, the head."""
    return _by_part((name, _some(parameter.array)) for name, parameter in _matrices(model))


def change_since(model: GPTLanguageModel, before: Samples, step: int) -> Change:
    """What the step did that was taken since `before` was sampled; the gradients must still be there."""
    gradients = _by_part(
        (name, _some(parameter.grad.array)) for name, parameter in _matrices(model) if parameter.grad is not None
    )
    after = sample_weights(model)
    return Change(step=step, gradients=gradients, updates={part: after[part] - before[part] for part in before})


def look_inside(model: GPTLanguageModel, change: Change | None, former: Inside | None) -> Inside:
    """The model's inside as it stands; the plane of the tokens is turned to how it lay in `former`."""
    spread = {"weights": sample_weights(model)}
    if change is not None:
        spread |= {"gradients": change.gradients, "updates": change.updates}
    parts = tuple(spread["weights"])
    counted = [_histograms([samples[part] for part in parts]) for samples in spread.values()]
    with blas_threads(1):
        table = model.wte.weight.array[:MOST_TOKENS]
        points = plane_of(table, None if former is None else former.points)
        neighbours = _nearest(table)
    return Inside(
        points=points,
        neighbours=neighbours,
        kinds=tuple(spread),
        parts=parts,
        counts=np.stack([counts for counts, _, _ in counted]),
        widths=np.array([width for _, width, _ in counted], np.float32),
        deviations=np.stack([deviations for _, _, deviations in counted]),
        changed_at=None if change is None else change.step,
    )


def plane_of(table: Array, former: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Rows (V, C) in the plane of their two first principal components: (V, 2).

    The plane is turned, and mirrored where need be, so that the points lie as near to `former` ones as they can (orthogonal
    Procrustes; Schönemann, 1966): from one look to the next they move, and do not jump. Where not all are finite, all lie at 0.
    """
    if not np.isfinite(table).all():  # of these there may be no eigenvalues
        return np.zeros((len(table), 2), np.float32)
    centred = table.astype(np.float64)
    centred -= centred.mean(axis=0)
    if len(table) <= table.shape[1]:  # the smaller of two matrices with the same first eigenvalues
        values, vectors = np.linalg.eigh(centred @ centred.T)
        points = vectors[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0))
    else:
        points = centred @ np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :2]
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    if former is not None and former.shape == points.shape:
        left, _, right = np.linalg.svd(points.T @ former)
        points = points @ left @ right
    placed: NDArray[np.float32] = np.nan_to_num(points).astype(np.float32)
    return placed


def _nearest(table: Array) -> NDArray[np.int32]:
    """For each row (V, C) the NEIGHBOURS others of the most like direction, the nearest first."""
    units = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    likeness = units @ units.T
    np.fill_diagonal(likeness, -np.inf)
    count = min(NEIGHBOURS, max(len(table) - 1, 0))
    found: NDArray[np.int32] = np.argsort(-likeness, axis=1)[:, :count].astype(np.int32)
    return found


def _histograms(samples: list[Array]) -> tuple[NDArray[np.uint32], float, NDArray[np.float32]]:
    """Counts (P, BINS) from -width to width, that width, and the deviation of each (P,)."""
    deviations = np.array([np.sqrt(np.mean(np.square(values, dtype=np.float64))) for values in samples], np.float32)
    largest = float(np.nan_to_num(deviations, posinf=0).max(initial=0))
    width = _WIDEST * largest or 1.0
    counts = [np.histogram(values, BINS, (-width, width))[0] for values in samples]
    return np.stack(counts).astype(np.uint32), width, deviations


def _matrices(model: GPTLanguageModel) -> Iterator[tuple[str, Parameter]]:
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.ndim == 2)


def _some(array: Array) -> Array:
    flat = array.reshape(-1)
    return flat[:: max(1, flat.size // _NUMBERS_OF_A_MATRIX)].copy()


def part_of(name: str) -> str:
    """The part of the model that a parameter belongs to: the embeddings, a layer, counted from 1, or the head."""
    first, *rest = name.split(".")
    return f"Layer {int(rest[0]) + 1}" if first == "h" else "Head" if first in ("ln_f", "lm_head") else "Embeddings"


def _by_part(named: Iterator[tuple[str, Array]]) -> Samples:
    """The samples of one part in one array."""
    parts: dict[str, list[Array]] = {}
    for name, values in named:
        parts.setdefault(part_of(name), []).append(values)
    return {part: np.concatenate(values) for part, values in parts.items()}
