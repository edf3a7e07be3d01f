import json
import os

import pytest

from nanograd.training.events import EvaluationFinished, RunFinished, SampleWritten, StepFinished
from nanograd.training.metrics import Metrics
from nanograd.training.run_directory import RunDirectory

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


def test_the_numbers_are_read_as_far_as_their_lines_are_whole(tmp_path):
    row = '"lr": 0.1, "gradient_norm": 1.0, "tokens_per_second": 9.0'
    lines = [
        f'{{"step": 2, "train_loss": 3.0, {row}}}', '{"step": 0, "validation_loss": 4.0}', f'{{"step": 1, "train_loss": NaN, {row}}}',
        f'{{"step": 2, "train_loss": 2.0, {row}}}', '{"step": 3, "train_loss": 1.0}', '{"step": "4", "validation_loss": 1.0}',
        '{"step": 5, "validation_loss": "x"}', f'{{"step": {10**30}, "validation_loss": 1.0}}', '{"step": 6, "valid',
    ]  # fmt: skip
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines))
    metrics = RunDirectory(tmp_path).metrics()
    assert metrics.steps.tolist() == [1, 2]
    assert metrics.train_loss[1] == 2.0
    assert metrics.lr.tolist() == [0.1, 0.1]
    assert (metrics.validation_steps.tolist(), metrics.validation_loss.tolist()) == ([0], [4.0])


def test_a_run_without_files_has_no_numbers_settings_or_notes(tmp_path):
    directory = RunDirectory(tmp_path)
    assert directory.metrics().steps.size == directory.metrics().validation_steps.size == 0
    assert directory.settings() == {}
    assert directory.notes() == ""
    directory.write_notes("ä")
    assert directory.notes() == "ä"
    (tmp_path / "settings.json").write_text("[1]")
    assert directory.settings() == {}


def test_what_is_left_of_a_run_without_checkpoints_is_found_apart(tmp_path):
    for name in ("left", ".new-x", "foreign"):
        (tmp_path / name).mkdir()
    for name in ("left", ".new-x"):
        (tmp_path / name / "settings.json").write_text("{}")
    assert RunDirectory.all(tmp_path) == []
    assert [run.path.name for run in RunDirectory.remains(tmp_path)] == ["left"]
    assert RunDirectory.remains(tmp_path / "nowhere") == []
