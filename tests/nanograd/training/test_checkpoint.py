import json
from dataclasses import replace

import numpy as np
import pytest

from nanograd.errors import CheckpointError
from nanograd.model_state import load_tensors, save, save_tensors
from nanograd.text.corpus import Corpus
from nanograd.training.checkpoint import RunSummary, load_run, save_run, summarize
from nanograd.training.events import EvaluationFinished, StepFinished
from nanograd.training.metrics import METRIC_NAMES
from nanograd.training.trainer import Trainer

TIMED = ("tokens_per_second",)


@pytest.fixture
def trained(small_settings, small_corpus):
    """A trainer after three steps."""
    return trained_to(Trainer(small_settings, small_corpus, probe="the mat"), 3)


def trained_to(trainer, step):
    """Run on until `step` steps are done, and drop the run there, as a pause does."""
    if step:
        next(event for event in trainer.run() if isinstance(event, StepFinished) and event.step == step)
    return trainer


def contents(path):
    """What a checkpoint holds, but for the clock's numbers."""
    tensors, metadata = load_tensors(path)
    return {name: array for name, array in tensors.items() if not name.endswith(TIMED)}, metadata


def assert_same_contents(left, right):
    assert left[0].keys() == right[0].keys()
    for name, array in left[0].items():
        np.testing.assert_array_equal(array, right[0][name], err_msg=name)
    assert left[1] == right[1]


def rewritten(path, target, metadata=(), tensors=(), drop=()):
    arrays, texts = load_tensors(path)
    texts = {name: text for name, text in {**texts, **dict(metadata)}.items() if name not in ("sha256", *drop)}
    save_tensors(target, {**arrays, **dict(tensors)}, texts)
    return target


MODERN = {
    "optimizer": "muon", "norm": "rmsnorm", "position": "rotary", "qk_norm": True, "activation": "relu2", "tied_head": False,
    "zero_init": True, "embedding_std": 0.1, "lr": 5e-3, "parts": 3,
}  # fmt: skip


@pytest.mark.parametrize("form", [{}, MODERN, {"parts": 1}], ids=["GPT-2", "modern", "one part"])
@pytest.mark.parametrize("step", [0, 1, 2, 3, 4, 5, 6])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path, small_settings, small_corpus, step, form):
    small_settings = replace(small_settings, **form)
    straight = Trainer(small_settings, small_corpus)
    straight_events = list(straight.run())
    save_run(tmp_path / "straight", straight)
    save_run(tmp_path / "middle", trained_to(Trainer(small_settings, small_corpus), step))
    resumed = load_run(tmp_path / "middle").build_trainer(small_corpus)
    resumed_events = list(resumed.run())
    save_run(tmp_path / "resumed", resumed)
    assert_same_contents(contents(tmp_path / "resumed"), contents(tmp_path / "straight"))
    evaluations = [event for event in straight_events if isinstance(event, EvaluationFinished) and event.step > step]
    assert [event for event in resumed_events if isinstance(event, EvaluationFinished) and event.step > step] == evaluations


def test_a_run_saved_at_every_step_is_the_same_run(tmp_path, small_settings, small_corpus):
    straight, path = Trainer(small_settings, small_corpus), tmp_path / "run"
    list(straight.run())
    save_run(tmp_path / "straight", straight)
    trainer = Trainer(small_settings, small_corpus)
    for step in range(1, 7):
        save_run(path, trained_to(trainer, step))
        trainer = load_run(path).build_trainer(small_corpus)
    list(trainer.run())
    save_run(path, trainer)
    assert_same_contents(contents(path), contents(tmp_path / "straight"))


def test_everything_comes_back(tmp_path, trained, small_corpus):
    save_run(tmp_path / "run.safetensors", trained)
    saved = load_run(tmp_path / "run.safetensors")
    assert (saved.name, saved.step, saved.probe) == ("run.safetensors", 3, "the mat")
    assert saved.settings == trained.settings
    assert saved.tokenizer.vocabulary == small_corpus.tokenizer.vocabulary
    assert (saved.corpus.name, saved.corpus.path, saved.corpus.digest) == ("cats.txt", "", small_corpus.digest)
    for name in METRIC_NAMES:
        np.testing.assert_array_equal(getattr(saved.metrics, name), getattr(trained.metrics.arrays(), name))
    again = saved.build_trainer(small_corpus)
    assert again.probe == "the mat"
    assert again.optimizer.state_dict()["state"][0]["step"] == 3


def test_a_model_can_be_built_without_the_text(tmp_path, trained):
    save_run(tmp_path / "run", trained)
    model = load_run(tmp_path / "run").build_model()
    for own, other in zip(model.parameters(), trained.model.parameters(), strict=True):
        np.testing.assert_array_equal(own.array, other.array)


def test_raised_steps_go_on_from_a_finished_run(tmp_path, small_settings, small_corpus):
    trainer = Trainer(small_settings, small_corpus)
    list(trainer.run())
    save_run(tmp_path / "run", trainer)
    again = load_run(tmp_path / "run").build_trainer(small_corpus)
    again.change_settings(replace(small_settings, max_steps=8))
    assert [event.step for event in again.run() if isinstance(event, StepFinished)] == [7, 8]


def test_the_file_names_its_generators_and_holds_no_pickle(tmp_path, trained):
    save_run(tmp_path / "run", trained)
    metadata = load_tensors(tmp_path / "run")[1]
    assert json.loads(metadata["generators"])["seed"] == trained.settings.seed
    assert b"\x80\x04" not in (tmp_path / "run").read_bytes()[:8]


def test_another_text_is_refused(tmp_path, trained):
    save_run(tmp_path / "run", trained)
    with pytest.raises(CheckpointError, match=r"was trained on cats.txt, and dogs.txt is another text; open cats.txt"):
        load_run(tmp_path / "run").build_trainer(Corpus.from_text("dog " * 100, name="dogs.txt"))


def test_weights_without_a_run_are_refused(tmp_path, trained):
    save(tmp_path / "weights", model=trained.model)
    with pytest.raises(CheckpointError, match="holds weights, but no nanograd run"):
        load_run(tmp_path / "weights")


def test_a_newer_version_is_told(tmp_path, trained):
    save_run(tmp_path / "run", trained)
    with pytest.raises(CheckpointError, match="newer version"):
        load_run(rewritten(tmp_path / "run", tmp_path / "new", {"version": "2"}))


@pytest.mark.parametrize("data", [b"", b"hello", b"\x00" * 100, b"\xff" * 8 + b"{}"])
def test_a_file_of_another_kind_is_refused(tmp_path, data):
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(CheckpointError, match="file"):
        load_run(tmp_path / "file")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere"):
        load_run(tmp_path / "nowhere")


@pytest.mark.parametrize("place", [20, 3000, -5])
def test_a_changed_byte_is_noticed(tmp_path, trained, place):
    save_run(tmp_path / "run", trained)
    data = bytearray((tmp_path / "run").read_bytes())
    data[place] ^= 1
    (tmp_path / "run").write_bytes(data)
    with pytest.raises(CheckpointError):
        load_run(tmp_path / "run")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_cut_short_is_refused(tmp_path, trained, share):
    save_run(tmp_path / "run", trained)
    data = (tmp_path / "run").read_bytes()
    (tmp_path / "run").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError):
        load_run(tmp_path / "run")


@pytest.mark.parametrize(
    "metadata",
    [
        {"step": "-1"}, {"step": '"3"'}, {"step": "true"}, {"step": "{"}, {"probe": "3"}, {"settings": "[]"}, {"settings": "{"},
        {"settings": '{"n_layer": 0}'}, {"settings": '{"wings": 1}'}, {"settings": '{"lr": 1' + "0" * 400 + "}"},
        {"tokenizer": "{}"}, {"corpus": "{}"}, {"corpus": '{"name": 1, "path": 2, "digest": 3, "character_count": 4}'},
        {"corpus": '{"name": "a", "path": "b", "digest": "c", "character_count": "d"}'}, {"step": "[" * 100_000},
    ],
    ids=lambda metadata: str(metadata)[:60],
)  # fmt: skip
def test_a_description_that_is_not_complete_is_refused(tmp_path, trained, metadata):
    save_run(tmp_path / "run", trained)
    with pytest.raises(CheckpointError, match="is damaged"):
        load_run(rewritten(tmp_path / "run", tmp_path / "other", metadata))


@pytest.mark.parametrize("name", ["step", "probe", "settings", "tokenizer", "corpus"])
def test_a_description_that_is_missing_is_refused(tmp_path, trained, name):
    save_run(tmp_path / "run", trained)
    with pytest.raises(CheckpointError, match="is damaged"):
        load_run(rewritten(tmp_path / "run", tmp_path / "other", drop=[name]))


@pytest.mark.parametrize(
    "tensors",
    [
        {"metrics.steps": np.array([1, 1, 2])}, {"metrics.steps": np.array([1, 2])}, {"metrics.train_loss": np.ones((3, 1))},
        {"metrics.validation_loss": np.ones(7)},
    ],
    ids=str,
)  # fmt: skip
def test_curves_that_do_not_fit_are_refused(tmp_path, trained, tensors):
    save_run(tmp_path / "run", trained)
    with pytest.raises(CheckpointError, match="is damaged"):
        load_run(rewritten(tmp_path / "run", tmp_path / "other", tensors=tensors))


def test_settings_that_do_not_fit_the_weights_are_refused(tmp_path, trained, small_corpus):
    save_run(tmp_path / "run", trained)
    settings = json.dumps(replace(trained.settings, n_embd=32).as_dict())
    saved = load_run(rewritten(tmp_path / "run", tmp_path / "other", {"settings": settings}))
    with pytest.raises(CheckpointError):
        saved.build_model()
    with pytest.raises(CheckpointError):
        saved.build_trainer(small_corpus)


def test_the_head_of_a_checkpoint_tells_its_text_and_where_it_goes_on(tmp_path, trained):
    save_run(tmp_path / "run", trained)
    losses = trained.metrics.arrays().validation_loss
    best = float(losses.min()) if len(losses) else None
    expected = RunSummary(corpus_name=trained.corpus.name, step=3, max_steps=trained.settings.max_steps, best_loss=best)
    assert summarize(tmp_path / "run") == expected


@pytest.mark.parametrize(
    "data", [None, b"", b"\xff" * 8 + b"{}", b"{" * 9, b"\2" + b"\0" * 7 + b"[]", b"\0" * 100], ids=lambda data: repr(data)[:12]
)
def test_there_is_no_summary_of_a_damaged_checkpoint(tmp_path, data):
    if data is not None:
        (tmp_path / "run").write_bytes(data)
    assert summarize(tmp_path / "run") is None


def test_the_head_of_a_newer_version_is_told_as_newer(tmp_path, trained):
    save_run(tmp_path / "run", trained)
    data = (tmp_path / "run").read_bytes()
    assert not summarize(tmp_path / "run").is_newer
    (tmp_path / "run").write_bytes(data.replace(b'"version":"1"', b'"version":"2"', 1))
    assert summarize(tmp_path / "run").is_newer
    (tmp_path / "run").write_bytes(data.replace(rb"\"n_layer\"", rb"\"m_layer\"", 1))
    assert summarize(tmp_path / "run").is_newer
    assert summarize(tmp_path / "run").step == 3
