import errno
import json
import os
import struct

import numpy as np
import pytest

from nanograd.errors import CheckpointError
from nanograd.model_state import load, load_tensors, save, save_tensors
from nanograd.module import Module
from nanograd.nn import Linear
from nanograd.optimizer import SGD, AdamW, Muon, RMSprop
from nanograd.schedule import StepLR
from nanograd.tensor import Tensor

DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]


def example_tensors():
    generator = np.random.default_rng(0)
    tensors = {f"of_{dtype}": (generator.random((3, 5)) * 100).astype(dtype) for dtype in DTYPES}
    tensors["scalar"] = np.array(3.5)
    tensors["empty"] = np.zeros((0, 4), dtype=np.float32)
    tensors["transposed"] = np.arange(6, dtype=np.int16).reshape(2, 3).T
    return tensors


def assert_same(left, right):
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert array.dtype == right[name].dtype
        assert array.shape == right[name].shape
        np.testing.assert_array_equal(array, right[name])


def write_raw(path, header, data=b""):
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_tensors_and_metadata_come_back(tmp_path):
    metadata = {"settings": '{"a": 1}', "vocabulary": "é\n\x00\U0001f600", "zeros": "0" * 64}
    save_tensors(tmp_path / "file", example_tensors(), metadata)
    tensors, texts = load_tensors(tmp_path / "file")
    assert_same(tensors, example_tensors())
    assert texts == metadata


def test_what_was_loaded_can_be_changed_and_saved_again(tmp_path):
    save_tensors(tmp_path / "file", example_tensors(), {"a": "b"})
    tensors, texts = load_tensors(tmp_path / "file")
    tensors["of_f4"] += 1
    save_tensors(tmp_path / "file", tensors, texts)
    assert_same(load_tensors(tmp_path / "file")[0], tensors)


def test_big_endian_arrays_are_saved_too(tmp_path):
    save_tensors(tmp_path / "file", {"a": np.array([1.5, 2.5], dtype=">f4")}, {})
    assert_same(load_tensors(tmp_path / "file")[0], {"a": np.array([1.5, 2.5], dtype=np.float32)})


def test_the_safetensors_package_reads_ours(tmp_path):
    safetensors = pytest.importorskip("safetensors", reason="the safetensors package is not installed")
    numpy_api = pytest.importorskip("safetensors.numpy", reason="the safetensors package is not installed")
    save_tensors(tmp_path / "file", example_tensors(), {"a": "é"})
    assert_same(numpy_api.load_file(tmp_path / "file"), example_tensors())
    with safetensors.safe_open(tmp_path / "file", "np") as opened:
        assert opened.metadata()["a"] == "é"


def test_we_read_what_the_safetensors_package_writes(tmp_path):
    numpy_api = pytest.importorskip("safetensors.numpy", reason="the safetensors package is not installed")
    tensors = {name: np.ascontiguousarray(array) for name, array in example_tensors().items() if name != "scalar"}
    numpy_api.save_file(tensors, tmp_path / "file", {"a": "b"})
    read, texts = load_tensors(tmp_path / "file")
    assert_same(read, tensors)
    assert texts == {"a": "b"}


def test_bfloat16_becomes_float32(tmp_path):
    values = np.array([1.0, -2.5, 0.0], dtype=np.float32)
    data = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    write_raw(tmp_path / "file", {"a": entry("BF16", (3,), (0, 6)), "b": entry("BF16", (), (6, 8))}, data + data[:2])
    assert_same(load_tensors(tmp_path / "file")[0], {"a": values, "b": np.array(1.0, dtype=np.float32)})


def test_each_damaged_bit_is_noticed(tmp_path):
    path = tmp_path / "file"
    save_tensors(path, {"a": np.arange(3.0)}, {"settings": "x"})
    good = path.read_bytes()
    for position in range(len(good)):
        damaged = bytearray(good)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            load_tensors(path)


def test_each_cut_is_noticed(tmp_path):
    path = tmp_path / "file"
    save_tensors(path, {"a": np.arange(3.0)}, {})
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(CheckpointError, match=r"cut short|not a safetensors file"):
            load_tensors(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"not json..", "not valid JSON"),
        (b"\xff\xfe\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b"[1]       ", "not a JSON object"),
        (b'{"a": NaN}', "holds NaN"),
        (b'{"a": 1' + b"0" * 10_000 + b"}", "not valid JSON"),
        (b'{"a": 1, "a": 2}', "twice"),
        ({"__metadata__": {"a": 1}}, "map names to texts"),
        ({"__metadata__": ["a"]}, "map names to texts"),
        ({"a": []}, "dtype, shape and data_offsets"),
        ({"a": {"dtype": "F32", "shape": [2]}}, "dtype, shape and data_offsets"),
        ({"a": entry("F8_E4M3")}, "unknown dtype"),
        ({"a": entry(["F32"])}, "unknown dtype"),
        ({"a": entry(shape=(-2, -1))}, "no proper shape"),
        ({"a": entry(shape=(2.0,))}, "no proper shape"),
        ({"a": entry(shape=(True, 2))}, "no proper shape"),
        ({"a": entry(shape=(1,) * 33)}, "no proper shape"),
        ({"a": entry(shape=(2**64,))}, "no proper shape"),
        ({"a": entry(shape=(2**62, 2**62))}, "more elements"),
        ({"a": entry(shape=(0, 2**62, 2**62), offsets=(0, 0))}, "more elements"),
        ({"a": entry(shape=(2**60,), offsets=(0, 2**62))}, "cut short"),
        ({"a": entry(offsets=(8, 0))}, "has -8 bytes"),
        ({"a": entry(offsets=(-8, 0))}, "no proper offsets"),
        ({"a": entry(offsets=(0, 8, 16))}, "no proper offsets"),
        ({"a": entry(offsets=(0, 7))}, "has 7 bytes .* need 8"),
        ({"a": entry(offsets=(0, 8)), "b": entry(offsets=(4, 12))}, "'b' begins at byte 4 instead of 8"),
        ({"a": entry(offsets=(4, 12))}, "'a' begins at byte 4 instead of 0"),
        ({"a": entry(offsets=(0, 8))}, "4 bytes that belong to no tensor"),
        ({"a": entry(offsets=(0, 8)), "b": entry(offsets=(8, 16))}, "cut short"),
        ({"a": entry("BOOL", (12,), (0, 12))}, "neither true nor false"),
    ],
)  # fmt: skip
def test_hostile_headers_are_refused(tmp_path, header, message):
    write_raw(tmp_path / "file", header, b"\2" * 12)
    with pytest.raises(CheckpointError, match=message):
        load_tensors(tmp_path / "file")


@pytest.mark.parametrize("length", [2, 101, 10**8 + 1, 2**63, 2**64 - 1])
def test_header_length_is_not_believed(tmp_path, length):
    (tmp_path / "file").write_bytes(struct.pack("<Q", length) + b"{" * 100)
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        load_tensors(tmp_path / "file")


def test_missing_file_and_folder_are_told_apart(tmp_path):
    with pytest.raises(CheckpointError, match="There is no file"):
        load_tensors(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match="it is a folder"):
        load_tensors(tmp_path)


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "Make room"), (errno.EROFS, "can be written to"), (errno.EIO, "another place")],
)
def test_failed_write_says_why_and_keeps_the_old_file(tmp_path, monkeypatch, number, message):
    path = tmp_path / "file"
    save_tensors(path, {"a": np.zeros(3)}, {})

    def fail(_):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(CheckpointError, match=message):
            save_tensors(path, {"a": np.ones(3)}, {})
    assert_same(load_tensors(path)[0], {"a": np.zeros(3)})
    assert os.listdir(tmp_path) == ["file"]


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="Create the folder first"):
        save_tensors(tmp_path / "nowhere" / "file", {}, {})


def test_dtypes_that_the_format_lacks_are_named():
    with pytest.raises(CheckpointError, match="weights has the dtype complex128"):
        save_tensors("unused", {"weights": np.zeros(1, dtype=complex)}, {})


class Trained:
    """A layer and its optimizer after some steps."""

    def __init__(self, *, steps, out_features=2, groups=1):
        self.model = Linear(3, out_features)
        parameters = list(self.model.parameters())
        chosen = parameters if groups == 1 else [{"params": [parameter], "lr": 0.1} for parameter in parameters]
        self.optimizer = AdamW(chosen, lr=0.01, betas=(0.8, 0.9))
        self.take(steps)

    def take(self, steps):
        for step in range(steps):
            self.optimizer.zero_grad()
            self.model(Tensor(np.full((1, 3), step + 1.0, dtype=np.float32))).sum().backward()
            self.optimizer.step()

    def weights(self):
        return {name: tensor.array.copy() for name, tensor in self.model.state_dict().items()}

    def everything(self):
        arrays = self.weights()
        for index, values in self.optimizer.state_dict()["state"].items():
            arrays |= {f"{index}.{name}": np.array(value) for name, value in values.items()}
        return arrays


@pytest.mark.parametrize("groups", [1, 2])
def test_model_and_optimizer_go_on_as_if_never_saved(tmp_path, groups):
    first, second = Trained(steps=3, groups=groups), Trained(steps=1, groups=groups)
    save(tmp_path / "file", model=first.model, optimizer=first.optimizer, metadata={"a": "b"})
    assert load(tmp_path / "file", model=second.model, optimizer=second.optimizer) == {"a": "b"}
    assert second.optimizer.state_dict()["param_groups"] == first.optimizer.state_dict()["param_groups"]
    assert_same(second.everything(), first.everything())
    first.take(2)
    second.take(2)
    assert_same(second.everything(), first.everything())


def test_optimizer_that_has_not_stepped_is_saved_too(tmp_path):
    first, second = Trained(steps=0), Trained(steps=2)
    save(tmp_path / "file", model=first.model, optimizer=first.optimizer)
    load(tmp_path / "file", model=second.model, optimizer=second.optimizer)
    assert_same(second.everything(), first.everything())


def test_model_alone_is_loaded_from_a_file_with_more(tmp_path):
    first, second = Trained(steps=1), Trained(steps=0)
    save(tmp_path / "file", model=first.model, optimizer=first.optimizer, arrays={"curve": np.zeros(3)})
    load(tmp_path / "file", model=second.model)
    assert_same(second.weights(), first.weights())


def changed_optimizer(change):
    def apply(tensors, metadata):
        rest = json.loads(metadata["optimizer"])
        change(rest)
        metadata["optimizer"] = json.dumps(rest)

    return apply


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda tensors, _: tensors.pop("model.bias"), "it lacks 'bias'"),
        (lambda tensors, _: tensors.update({"model.more": np.zeros(1)}), "it has unknown 'more'"),
        (lambda tensors, _: tensors.update({"model.bias": np.zeros(5)}), "'bias' is float64 \\(5,\\) there"),
        (lambda tensors, _: tensors.update({"model.bias": np.zeros(2, dtype=np.int8)}), "'bias' is int8"),
        (lambda tensors, _: tensors.update({"optimizer.0.exp_avg": np.zeros(5)}), "exp_avg"),
        (lambda tensors, _: tensors.update({"optimizer.7.exp_avg": np.zeros(5)}), "does not fit"),
        (lambda tensors, _: tensors.update({"optimizer.x": np.zeros(5)}), "does not fit"),
        (lambda _, metadata: metadata.pop("optimizer"), "no optimizer state"),
        (lambda _, metadata: metadata.update(optimizer="{"), "not valid JSON"),
        (lambda _, metadata: metadata.update(optimizer="[" * 100_000), "not valid JSON"),
        (lambda _, metadata: metadata.update(optimizer="[]"), "does not fit"),
        (changed_optimizer(lambda rest: rest.update(state=[])), "does not fit"),
        (changed_optimizer(lambda rest: rest["state"].update({"9": {}})), "other parameters"),
        (changed_optimizer(lambda rest: rest["param_groups"].append({})), "other parameters"),
        (changed_optimizer(lambda rest: rest["param_groups"][0].pop("lr")), "another kind"),
        (changed_optimizer(lambda rest: rest["param_groups"][0].update(lr="fast")), "lr of another kind"),
        (changed_optimizer(lambda rest: rest["param_groups"][0].update(betas=[0.9])), "betas of another kind"),
        (changed_optimizer(lambda rest: rest["param_groups"][0].update(params=[1, 0])), "another kind"),
    ],
)
def test_state_that_does_not_fit_changes_nothing(tmp_path, damage, message):
    first, second = Trained(steps=2), Trained(steps=1)
    save(tmp_path / "file", model=first.model, optimizer=first.optimizer)
    tensors, metadata = load_tensors(tmp_path / "file")
    damage(tensors, metadata)
    save_tensors(tmp_path / "file", tensors, metadata)
    before = second.everything()
    with pytest.raises(CheckpointError, match=message):
        load(tmp_path / "file", model=second.model, optimizer=second.optimizer)
    assert_same(second.everything(), before)


class WithStatistics(Module):
    """Two layers that share their weight, and a running mean with a count."""

    def __init__(self):
        super().__init__()
        self.first, self.second = Linear(3, 3), Linear(3, 3, bias=False)
        self.second.weight = self.first.weight
        self.register_buffer("mean", Tensor([0.0, 0.0, 0.0]))
        self.register_buffer("count", Tensor(0.0).long())

    def forward(self, x):
        self.count += 1
        self.mean += x.mean(0) - self.mean * 0.5
        return self.second(self.first(x)) + self.mean


OPTIMIZERS = [
    lambda matrices, rest: SGD([*matrices, *rest], lr=0.1, momentum=0.9),
    lambda matrices, rest: SGD([*matrices, *rest], lr=0.1),
    lambda matrices, rest: RMSprop([*matrices, *rest], centered=True, momentum=0.5),
    lambda matrices, rest: AdamW([{"params": matrices, "lr": 0.1}, {"params": rest}], amsgrad=True),
    lambda matrices, rest: Muon(matrices),
]


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_buffers_shared_weights_and_any_optimizers_state_come_back(tmp_path, make):
    def steps(model, optimizer, count):
        for step in range(count):
            optimizer.zero_grad()
            model(Tensor(np.full((2, 3), step + 1.0))).sum().backward()
            optimizer.step()
        return {name: tensor.array.copy() for name, tensor in model.state_dict().items()}

    models = [WithStatistics() for _ in range(2)]
    optimizers = [make([model.first.weight], [model.first.bias]) for model in models]
    StepLR(optimizers[0], step_size=1)  # which leaves initial_lr in the groups
    steps(models[0], optimizers[0], 3)
    save(tmp_path / "file", model=models[0], optimizer=optimizers[0])
    assert "model.second.weight" not in load_tensors(tmp_path / "file")[0]
    load(tmp_path / "file", model=models[1], optimizer=optimizers[1])
    first, second = (steps(model, optimizer, 2) for model, optimizer in zip(models, optimizers, strict=True))
    assert list(first) == ["mean", "count", "first.weight", "first.bias", "second.weight"]
    assert_same(first, second)
    assert models[1].count.item() == 5
