import json
import os

import pytest

from nanograd.training.events import EvaluationFinished, RunFinished, SampleWritten, StepFinished
from nanograd.training.metrics import Metrics
from nanograd.training.run_directory import RunDirectory
from nanograd.training.settings import RunSettings

STEP = StepFinished(step=1, loss=2.5, lr=0.1, gradient_norm=3.0, tokens_per_second=123.456)


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def directory(tmp_path):
    return RunDirectory.create(tmp_path / "runs", "my cats.txt")


def test_each_run_has_a_folder_of_its_own_named_for_its_text(tmp_path):
    names = [RunDirectory.create(tmp_path, "my cats.txt").path.name for _ in range(3)]
    assert len(set(names)) == 3
    assert all("my-cats" in name for name in names)


@pytest.mark.parametrize("name", ["../../etc/passwd", "...", "", "/", "a" * 300, "日本語.txt", "con:*?.txt"])
def test_no_name_of_a_text_leads_out_of_the_folder(tmp_path, name):
    path = RunDirectory.create(tmp_path / "runs", name).path
    assert path.parent == tmp_path / "runs"
    assert len(path.name) < 80


def test_events_are_written_as_lines_of_json(directory):
    for event in (
        STEP, EvaluationFinished(step=1, loss=2.0), SampleWritten(step=1, prompt="\n", text='é "q"\n'), RunFinished(step=1),
    ):  # fmt: skip
        directory.record(event)
    assert rows(directory.path / "metrics.jsonl") == [
        {"step": 1, "train_loss": 2.5, "lr": 0.1, "gradient_norm": 3.0, "tokens_per_second": 123.5},
        {"step": 1, "validation_loss": 2.0},
    ]
    assert rows(directory.path / "samples.jsonl") == [{"step": 1, "prompt": "\n", "text": 'é "q"\n'}]


def test_metrics_written_anew_are_as_they_were_appended(directory):
    metrics = Metrics()
    evaluated = EvaluationFinished(step=0, loss=4.0)
    for event in (evaluated, STEP, EvaluationFinished(step=1, loss=2.0)):
        directory.record(event)
        metrics.add(event)
    appended = rows(directory.path / "metrics.jsonl")
    directory.rewrite_metrics(metrics.arrays())
    assert rows(directory.path / "metrics.jsonl") == appended


def test_the_latest_run_is_the_one_saved_last(tmp_path):
    assert RunDirectory.latest(tmp_path / "nowhere") is None
    first, second, unsaved = (RunDirectory.create(tmp_path, name) for name in ("b", "a", "c"))
    for seconds, directory in ((1000, first), (2000, second)):
        directory.checkpoint_path.write_bytes(b"")
        os.utime(directory.checkpoint_path, (seconds, seconds))
    assert RunDirectory.latest(tmp_path).path == second.path
    assert unsaved.path.exists()


def test_a_summary_tells_text_and_steps(directory):
    directory.write_settings(RunSettings(max_steps=9))
    directory.write_corpus({"name": "cats.txt"})
    directory.record(STEP)
    with (directory.path / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 2, "tra')  # where the program was killed
    summary = directory.summary()
    assert (summary.corpus_name, summary.step, summary.max_steps) == ("cats.txt", 1, 9)


@pytest.mark.parametrize("name", ["settings.json", "corpus.json", "metrics.jsonl"])
@pytest.mark.parametrize("text", [None, "", "{", "[]", "[" * 100_000, "\x00"], ids=lambda text: repr(text)[:8])
def test_there_is_no_summary_of_damaged_files(directory, name, text):
    directory.write_settings(RunSettings())
    directory.write_corpus({"name": "cats.txt"})
    directory.record(STEP)
    path = directory.path / name
    path.unlink()
    if text is not None:
        path.write_text(text)
    assert directory.summary() is None
