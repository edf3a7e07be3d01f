"""Saving and loading: arrays in a safetensors file, complete, atomic, checked; nothing that is read is ever executed."""

import errno
import hashlib
import json
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from nanograd.atomic_file import write_atomically
from nanograd.errors import CheckpointError
from nanograd.graph import Array
from nanograd.module import Module
from nanograd.parameter_groups import Optimizer

MAXIMUM_HEADER_BYTES = 100_000_000
_MAXIMUM_DIMENSIONS = 32
_NO_CHECKSUM = "0" * 64
_CHECKSUMS = ("sha256", "header_sha256")
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_NAMES_OF_DTYPES = {np.dtype(dtype): name for name, dtype in _DTYPES.items() if name != "BF16"}
# What a saved group of an optimizer may lack: what a scheduler puts there, and what came after the first version.
_OPTIONAL_SETTINGS = {"initial_lr", "amsgrad", "maximize"}
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Make room on that disk, or choose another place."),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "Choose a folder that you may write to."),
    errno.EROFS: "Choose a place that can be written to.",
    errno.ENOENT: "Create the folder first, or choose another.",
}


class _Entry(NamedTuple):
    """Where a tensor lies in the data section."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class _RefusedError(Exception):
    """Why a file is no good, before its name is put in front."""


def _refuse_if(is_wrong: bool, message: str) -> None:
    if is_wrong:
        raise _RefusedError(message)


def save(
    path: Path,
    *,
    model: Module,
    optimizer: Optimizer | None = None,
    metadata: Mapping[str, str] | None = None,
    arrays: Mapping[str, Array] | None = None,
    set_aside: Path | None = None,
) -> None:
    """Write a model, and where given its optimizer's state and more arrays, to `path`; CheckpointError where that fails.

    A file that was at `path` before moves to `set_aside` where that is given.

    >>> import tempfile
    >>> from nanograd.nn import Linear
    >>> first, second = Linear(2, 3), Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Path(folder, "model.safetensors"), model=first, metadata={"step": "5"})
    ...     load(Path(folder, "model.safetensors"), model=second)
    {'step': '5'}
    >>> bool((first.weight == second.weight).all())
    True
    """
    tensors = dict(arrays or {})
    state = model.state_dict()
    repeats = _repeated_names(state)
    tensors |= {f"model.{name}": np.asarray(tensor.array) for name, tensor in state.items() if name not in repeats}
    texts = dict(metadata or {})
    if optimizer is not None:
        state_tensors, texts["optimizer"] = _flatten_optimizer_state(optimizer.state_dict())
        tensors |= state_tensors
    save_tensors(path, tensors, texts, set_aside)


def load(path: Path, *, model: Module, optimizer: Optimizer | None = None) -> dict[str, str]:
    """Bring back what `save` wrote and return its metadata.

    Raises CheckpointError where the file is damaged or does not fit; model and optimizer are then as they were.
    """
    tensors, metadata = load_tensors(path)
    restore(tensors, metadata, model=model, optimizer=optimizer, name=path.name)
    metadata.pop("optimizer", None)
    return metadata


def restore(
    tensors: Mapping[str, Array], metadata: Mapping[str, str], *, model: Module, optimizer: Optimizer | None = None, name: str
) -> None:
    """Bring back what `load_tensors` read from the file `name`; raises CheckpointError, with nothing changed, where it does not fit."""
    weights = {key.removeprefix("model."): array for key, array in tensors.items() if key.startswith("model.")}
    for repeat, first in _repeated_names(model.state_dict()).items():
        if first in weights:
            weights.setdefault(repeat, weights[first])
    try:
        _check_weights(weights, model)
        if optimizer is not None:
            state = _nested_optimizer_state(tensors, metadata.get("optimizer"), optimizer.state_dict()["param_groups"])
            optimizer.load_state_dict(state)
        model.load_state_dict(weights)
    except (_RefusedError, KeyError, TypeError, ValueError, AttributeError) as error:
        remedy = "Open it with the settings it was saved with, or choose another file."
        raise CheckpointError(f"{name} does not fit this model: {error}. {remedy}") from error


def save_tensors(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str], set_aside: Path | None = None) -> None:
    """Write `tensors` to a safetensors file that appears whole or not at all; raises CheckpointError where that fails.

    The metadata gains `sha256`, of the data section, and `header_sha256`, of the header with this value all zeros. A file
    that was at `path` before moves to `set_aside` where that is given.
    """
    # Wide elements first, so that each tensor begins at a multiple of its element's size.
    stored = {name: _stored(name, array) for name, array in tensors.items()}
    ordered = sorted(stored.items(), key=lambda item: (-item[1].itemsize, item[0]))
    pieces = [np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for _, array in ordered]
    header = _header(ordered, metadata, _sha256(pieces))

    try:
        write_atomically(path, lambda stream: stream.writelines([len(header).to_bytes(8, "little"), header, *pieces]), set_aside)
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "Choose another place.")
        raise CheckpointError(f"{path} could not be written: {error.strerror or error}. {remedy}") from error


def load_tensors(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the metadata of a safetensors file, bfloat16 as float32; raises CheckpointError where it is damaged.

    Checksums in the metadata are checked where there are any, and left out of what is returned.
    """
    try:
        _refuse_if(path.is_dir(), "it is a folder")
        size = path.stat().st_size
        _refuse_if(not path.is_file(), "it is a device or a pipe")  # reading a pipe or a device may never end
        with path.open("rb") as stream:
            return _read(stream, size)
    except FileNotFoundError:
        raise CheckpointError(f"There is no file {path}. It may have been moved or renamed; choose it again.") from None
    except (OSError, ValueError, MemoryError) as error:
        raise CheckpointError(f"{path.name} could not be read: {error}. Choose another file, or a copy of it.") from error
    except _RefusedError as refusal:
        raise CheckpointError(f"{path.name} is not a checkpoint that can be opened: {refusal}. Choose another file.") from None


def read_metadata(path: Path) -> dict[str, str] | None:
    """The metadata of a safetensors file, unchecked and without reading the rest; None where there is none."""
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            return _metadata(_parse(stream.read(min(length, MAXIMUM_HEADER_BYTES))).get("__metadata__"))
    except (OSError, ValueError, MemoryError, _RefusedError):
        return None


def _stored(name: str, array: Array) -> Array:
    """`array` as the file holds it, little-endian."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    if little.dtype not in _NAMES_OF_DTYPES:
        raise CheckpointError(f"{name} has the dtype {array.dtype}, which the file format lacks. Convert it to a number type.")
    return little


def _header(ordered: list[tuple[str, Array]], metadata: Mapping[str, str], data_sha256: str) -> bytes:
    texts = {name: text for name, text in metadata.items() if name not in _CHECKSUMS}
    # The header's checksum comes first, so that the first run of 64 zeros is the place for it.
    entries: dict[str, Any] = {"__metadata__": {"header_sha256": _NO_CHECKSUM, "sha256": data_sha256, **texts}}
    begin = 0
    for name, array in ordered:
        end = begin + array.nbytes
        entries[name] = {"dtype": _NAMES_OF_DTYPES[array.dtype], "shape": list(array.shape), "data_offsets": [begin, end]}
        begin = end
    header = json.dumps(entries, separators=(",", ":")).encode("ascii")
    header += b" " * (-len(header) % 8)
    return header.replace(_NO_CHECKSUM.encode(), hashlib.sha256(header).hexdigest().encode(), 1)


def _sha256(pieces: Iterable[memoryview]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _read(stream: BinaryIO, size: int) -> tuple[dict[str, Array], dict[str, str]]:
    header = _read_header(stream, size)
    values = _parse(header)
    metadata = _metadata(values.pop("__metadata__", {}))
    entries = sorted((_entry(name, value) for name, value in values.items()), key=lambda entry: (entry.begin, entry.end))
    _check_layout(entries, size - 8 - len(header))
    _check_header(header, metadata)
    digest = hashlib.sha256()
    tensors = {entry.name: _read_tensor(stream, entry, digest) for entry in entries}
    if metadata.get("sha256", digest.hexdigest()) != digest.hexdigest():
        raise _RefusedError("its data was changed or damaged after it was written (the checksum differs)")
    return tensors, {name: text for name, text in metadata.items() if name not in _CHECKSUMS}


def _read_header(stream: BinaryIO, size: int) -> bytes:
    length = int.from_bytes(stream.read(8), "little")
    _refuse_if(size < 10 or length > MAXIMUM_HEADER_BYTES, "it is not a safetensors file")
    _refuse_if(length > size - 8, f"it is cut short, or not a safetensors file: its header should have {length:,} bytes")
    return stream.read(length)


def _parse(header: bytes) -> dict[str, Any]:
    try:
        values = json.loads(header.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _RefusedError("it is not a safetensors file (its header is not valid JSON)") from None
    if not isinstance(values, dict):
        raise _RefusedError("it is not a safetensors file (its header is not a JSON object)")
    return values


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    _refuse_if(len(values) != len(pairs), "its header names something twice")
    return values


def _refuse_constant(name: str) -> None:
    raise _RefusedError(f"its header holds {name}")


def _metadata(values: Any) -> dict[str, str]:
    if not isinstance(values, dict) or not all(isinstance(text, str) for text in values.values()):
        raise _RefusedError("its metadata should map names to texts")
    return values


def _entry(name: str, value: Any) -> _Entry:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise _RefusedError(f"the entry of {_shown(name)} should have dtype, shape and data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise _RefusedError(f"{_shown(name)} has an unknown dtype; known are {', '.join(_DTYPES)}")
    _refuse_if(not _are_counts(shape) or len(shape) > _MAXIMUM_DIMENSIONS, f"{_shown(name)} has no proper shape")
    _refuse_if(not _are_counts(offsets) or len(offsets) != 2, f"{_shown(name)} has no proper offsets")
    itemsize = np.dtype(_DTYPES[dtype]).itemsize
    if prod(dim for dim in shape if dim) * itemsize >= 2**63:  # numpy counts the other dimensions even where one is 0
        raise _RefusedError(f"{_shown(name)} claims more elements than a machine can hold")
    given, needed = offsets[1] - offsets[0], prod(shape) * itemsize
    _refuse_if(given != needed, f"{_shown(name)} has {given:,} bytes where its shape and dtype need {needed:,}")
    return _Entry(name=name, dtype=dtype, shape=tuple(shape), begin=offsets[0], end=offsets[1])


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**63 for value in values)


def _check_layout(entries: list[_Entry], size: int) -> None:
    """The tensors must fill the data section of `size` bytes from end to end, without holes or overlaps."""
    position = 0
    for entry in entries:
        if entry.begin != position:
            raise _RefusedError(f"the data of {_shown(entry.name)} begins at byte {entry.begin:,} instead of {position:,}")
        position = entry.end
    _refuse_if(position > size, f"it is cut short: it should hold {position:,} bytes of data and has {size:,}")
    _refuse_if(position < size, f"it holds {size - position:,} bytes that belong to no tensor")


def _check_header(header: bytes, metadata: dict[str, str]) -> None:
    if not metadata.keys() & set(_CHECKSUMS):
        return  # a foreign file
    claimed = metadata.get("header_sha256", "")
    blank = header.replace(claimed.encode("utf-8", "surrogatepass"), _NO_CHECKSUM.encode(), 1)
    if hashlib.sha256(blank).hexdigest() != claimed:
        raise _RefusedError("its header was changed or damaged after it was written (the checksum differs)")


def _read_tensor(stream: BinaryIO, entry: _Entry, digest: Any) -> Array:
    # The layout was checked against the file's true size, so what is allocated here is there to be read.
    stored = np.fromfile(stream, dtype=np.uint8, count=entry.end - entry.begin)
    _refuse_if(stored.nbytes != entry.end - entry.begin, "it became shorter while it was read")
    digest.update(stored.data)
    if entry.dtype == "BOOL" and stored.size and stored.max() > 1:
        raise _RefusedError(f"{_shown(entry.name)} holds values that are neither true nor false")
    array = stored.view(_DTYPES[entry.dtype])
    if entry.dtype == "BF16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array.reshape(entry.shape).astype(array.dtype.newbyteorder("="), copy=False)


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else f"{name[:80]}...")


def _repeated_names(state: Mapping[str, Any]) -> dict[str, str]:
    """The names of arrays that have an earlier name too, such as those of a tied head, with that name."""
    arrays = {name: tensor.array for name, tensor in state.items()}
    firsts: dict[int, str] = {}
    names = {name: firsts.setdefault(id(array), name) for name, array in arrays.items()}
    return {name: first for name, first in names.items() if name != first}


def _check_weights(weights: Mapping[str, Array], model: Module) -> None:
    expected = model.state_dict()
    for problem, names in (("it lacks", expected.keys() - weights.keys()), ("it has unknown", weights.keys() - expected.keys())):
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        _refuse_if(len(names) > 0, f"{problem} {', '.join(_shown(name) for name in sorted(names)[:3])}{more}")
    for name, tensor in expected.items():
        wanted, array = np.asarray(tensor.array), weights[name]
        if array.shape != wanted.shape or array.dtype.kind != wanted.dtype.kind:
            raise _RefusedError(f"{_shown(name)} is {array.dtype} {array.shape} there and {wanted.dtype} {wanted.shape} here")


def _flatten_optimizer_state(state: Mapping[str, Any]) -> tuple[dict[str, Array], str]:
    """The arrays under 'optimizer.<index>.<name>', and the rest as JSON."""
    tensors: dict[str, Array] = {}
    numbers: dict[str, dict[str, Any]] = {}
    for index, values in state["state"].items():
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        tensors |= {f"optimizer.{index}.{name}": array for name, array in arrays.items()}
        numbers[str(index)] = {name: value for name, value in values.items() if name not in arrays}
    rest = {"state": numbers, "param_groups": state["param_groups"]}
    return tensors, json.dumps(rest, default=lambda value: value.item())  # numpy's scalars


def _nested_optimizer_state(tensors: Mapping[str, Array], text: str | None, groups: list[dict[str, Any]]) -> dict[str, Any]:
    """The state that `_flatten_optimizer_state` took apart; `groups` are those of the optimizer that will take it."""
    _refuse_if(text is None, "it holds no optimizer state")
    try:
        rest = json.loads(text or "")
    except (ValueError, RecursionError):
        raise _RefusedError("its optimizer state is not valid JSON") from None
    state: dict[int, dict[str, Any]] = {int(index): dict(values) for index, values in rest["state"].items()}
    known = {index for group in groups for index in group["params"]}
    for name, array in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            state[int(index)][key] = array
    if not state.keys() <= known or len(rest["param_groups"]) != len(groups):
        raise _RefusedError("its optimizer state is that of other parameters")
    return {"state": state, "param_groups": [_group(*pair) for pair in zip(rest["param_groups"], groups, strict=True)]}


def _group(saved: dict[str, Any], present: dict[str, Any]) -> dict[str, Any]:
    if (saved.keys() ^ present.keys()) - _OPTIONAL_SETTINGS or saved["params"] != present["params"]:
        raise _RefusedError("its optimizer is of another kind")
    # JSON knows lists only, and betas are a tuple.
    group = {name: tuple(value) if isinstance(present.get(name), tuple) else value for name, value in saved.items()}
    for name, value in group.items():
        _refuse_if(name in present and _kinds(value) != _kinds(present[name]), f"its optimizer has {name} of another kind")
    return group


def _kinds(value: Any) -> Any:
    """What a value is made of; whole numbers and others count as one kind."""
    if isinstance(value, list | tuple):
        return [_kinds(item) for item in value]
    return float if type(value) is int else type(value)
