"""The command line as a person or a script meets it: real processes, and the same runs as the window's."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gui.__main__ import main
from nanograd.text.byte_pair_training import train_byte_pair
from nanograd.text.gpt2_files import load_gpt2_files, save_gpt2_files
from nanograd.training.checkpoint import load_run
from nanograd.training.run_directory import RunDirectory

ROOT = Path(__file__).resolve().parents[2]
SMALL = [
    f"--{name}={value}"
    for name, value in {
        "n-layer": 1, "n-head": 2, "n-embd": 16, "block-size": 8, "batch-size": 4, "dropout": 0.1, "max-steps": 12,
        "eval-interval": 4, "eval-windows": 8, "sample-tokens": 6, "warmup-steps": 2, "parts": 1, "seed": 3,
    }.items()
]  # fmt: skip


@pytest.fixture
def nanograd(tmp_path):
    """Runs `python -m nanograd` with a data folder of its own, to its end."""

    def run(*words, status=0):
        done = subprocess.run(command(tmp_path, *words), capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


def command(tmp_path, *words):
    return [sys.executable, "-m", "nanograd", *map(str, words), "--data-directory", str(tmp_path / "data")]


def runs_of(tmp_path):
    return RunDirectory.all(tmp_path / "data" / "runs")


def weights(path):
    return {name: array for name, array in load_run(path).tensors.items() if not name.startswith("metrics.")}


def assert_same_weights(left, right):
    left, right = weights(left), weights(right)
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)


def rows_of(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_run_is_trained_listed_verified_and_written_with(nanograd, tmp_path, text_file):
    told = nanograd("train", text_file, *SMALL).stdout
    (run,) = runs_of(tmp_path)
    assert str(run.path) in told
    assert "step 12 of 12" in told
    (row,) = rows_of(nanograd("list", "--json"))
    assert (row["run"], row["text"], row["step"], row["max_steps"]) == (run.path.name, "cats.txt", 12, 12)
    assert row["bytes"] == run.byte_count()
    assert run.path.name in nanograd("list").stdout
    assert "match at all 4 recorded evaluations" in nanograd("verify", run.path.name).stdout
    texts = [nanograd("generate", run.path.name, "--prompt", "the ", "--tokens", 9, "--seed", 5).stdout for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0].startswith("the ")
    assert len(texts[0]) == len("the ") + 9 + len("\n")


def test_a_run_ended_by_ctrl_c_is_saved_and_goes_on_to_the_same_weights(nanograd, tmp_path, text_file):
    words = command(tmp_path, "train", text_file, *SMALL, "--max-steps", 400, "--eval-interval", 1000, "--json")
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    for line in process.stdout:
        if json.loads(line)["event"] == "step_finished":
            process.send_signal(signal.SIGINT)
            break
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == ""
    saved, way = map(json.loads, rest.splitlines()[-2:])
    (interrupted,) = runs_of(tmp_path)
    assert saved["event"] == "checkpoint_saved"
    assert load_run(interrupted.checkpoint_path).step == saved["step"] < 400
    assert f"nanograd resume {interrupted.path.name}" in way["command"]
    nanograd("resume", interrupted.path.name)
    nanograd("train", text_file, *SMALL, "--max-steps", 400, "--eval-interval", 1000)
    (undisturbed,) = [run for run in runs_of(tmp_path) if run.path != interrupted.path]
    assert_same_weights(interrupted.checkpoint_path, undisturbed.checkpoint_path)


def test_a_script_reads_every_step_as_json(nanograd, text_file):
    rows = rows_of(nanograd("train", text_file, *SMALL, "--json"))
    assert [row["step"] for row in rows if row["event"] == "step_finished"] == list(range(1, 13))
    assert {"run_started", "evaluation_finished", "checkpoint_saved", "sample_written"} < {row["event"] for row in rows}
    assert rows[-1] == {"event": "run_finished", "step": 12}
    assert len(next(row for row in rows if row["event"] == "evaluation_finished")["digest"]) == 64


def test_settings_that_may_change_are_changed_when_a_run_goes_on(nanograd, tmp_path, text_file):
    nanograd("train", text_file, *SMALL)
    (run,) = runs_of(tmp_path)
    assert "give more with --max-steps" in nanograd("resume", run.path.name, status=1).stderr
    nanograd("resume", run.path.name, "--max-steps", 16, "--lr", 0.0005)
    saved = load_run(run.checkpoint_path)
    assert (saved.step, saved.settings.lr) == (16, 0.0005)
    assert {name: after for name, _, after in run.changes()[0].changes} == {"lr": 0.0005, "max_steps": 16}
    assert "unrecognized arguments" in nanograd("resume", run.path.name, "--n-layer", 2, status=2).stderr
    assert "match at all" in nanograd("verify", run.path.name).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_is_told_how_far_the_text_and_the_run_are(tmp_path, text_file):
    ours, theirs = os.openpty()
    words = command(tmp_path, "train", text_file, *SMALL, "--max-steps", 30)
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=theirs, cwd=ROOT)
    os.close(theirs)
    told = b""
    try:
        while data := os.read(ours, 1 << 16):
            told += data
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait(60) == 0
    for line in (b"reading cats.txt, 100%", b"encoding cats.txt, 100%", b"step 0 of 30"):
        assert line in told


def test_several_texts_make_one(nanograd, tmp_path):
    for name, text in (("b.txt", "abc" * 200), ("a.txt", "xyz" * 200)):
        (tmp_path / name).write_text(text)
    nanograd("train", tmp_path / "b.txt", tmp_path / "a.txt", *SMALL)
    saved = load_run(runs_of(tmp_path)[0].checkpoint_path)
    assert "".join(saved.tokenizer.vocabulary) == "\nabcxyz"
    assert saved.corpus.character_count == 1202
    assert saved.probe.startswith("xyzxyz")


def test_a_vocabulary_from_files_makes_the_tokens(nanograd, tmp_path, text_file):
    folder = tmp_path / "vocabulary"
    save_gpt2_files(train_byte_pair("the dog and the cat and the fog\n" * 20, 290), folder)
    nanograd("train", text_file, *SMALL, "--tokenizer-files", folder)
    (run,) = runs_of(tmp_path)
    assert load_run(run.checkpoint_path).tokenizer.as_dict() == load_gpt2_files(folder).as_dict()
    (folder / "merges.txt").write_text("x y\n")
    nanograd("resume", run.path.name, "--max-steps", 14)
    assert "not in the vocabulary" in nanograd("train", text_file, *SMALL, "--tokenizer-files", folder, status=1).stderr
    both = nanograd("train", text_file, "--tokenizer", "byte", "--tokenizer-files", folder, status=2)
    assert "not allowed with" in both.stderr


def test_what_is_left_out_of_a_text_is_told(nanograd, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "the cat sat on the mat"}\nthis is no JSON\n' * 60)
    assert "60 of 120 rows" in nanograd("train", rows, *SMALL).stderr


def test_generate_says_so_where_a_damaged_checkpoint_is_passed_over(nanograd, tmp_path, text_file):
    nanograd("train", text_file, *SMALL)
    (run,) = runs_of(tmp_path)
    run.checkpoint_path.write_bytes(run.checkpoint_path.read_bytes()[:-50])
    assert "checkpoint" in nanograd("generate", run.path.name, "--tokens", 3).stderr
    assert "at least" in nanograd("generate", run.path.name, "--tokens", -3, status=1).stderr
    assert "are not among the" in nanograd("generate", run.path.name, "--prompt", "Zürich", status=1).stderr


def test_what_cannot_be_is_told_without_a_traceback(nanograd, tmp_path, text_file):
    assert "There is no file" in nanograd("train", tmp_path / "nowhere.txt", status=1).stderr
    assert "does not divide" in nanograd("train", text_file, "--n-embd", 10, "--n-head", 4, status=1).stderr
    assert "nanograd list" in nanograd("resume", "nothing", status=1).stderr
    assert "begin one with" in nanograd("list").stdout
    assert "invalid choice" in nanograd("bake", status=2).stderr


def test_a_loss_that_is_not_finite_ends_the_run_and_says_where(nanograd, tmp_path, text_file):
    told = nanograd("train", text_file, *SMALL, "--lr", 1000, "--grad-clip", 0, "--warmup-steps", 0, "--max-steps", 400, status=1)
    assert "Lower the learning rate" in told.stderr
    assert re.search(r"(finite|largest|first) in (Layer 1|Embeddings|the embeddings|Head|the head)", told.stderr)
    (way,) = ways_told(told)
    assert way[:2] == ["resume", runs_of(tmp_path)[0].path.name]
    assert "--lr=100.0" in way
    assert nanograd(*way, "--lr=0.001", "--max-steps=6")


RISING = ["--lr=5", "--min-lr=0", "--warmup-steps=400", "--max-steps=400", "--grad-clip=0", "--dropout=0", "--eval-interval=20"]


def ways_told(done):
    """The commands that were offered, without the name of the program."""
    commands = [line.split() for line in done.stdout.splitlines() if line.startswith("  nanograd ")]
    return [words[1:] for words in commands]


def test_a_loss_that_jumps_stops_the_run_and_offers_two_ways_on(nanograd, tmp_path, text_file):
    told = nanograd("train", text_file, *SMALL, *RISING, status=3)
    assert re.search(r"The loss jumped to [\d.]+ at step \d+, from [\d.]+ before. The gradient is largest in", told.stderr)
    (run,) = runs_of(tmp_path)
    spiked_at = load_run(run.checkpoint_path).step
    back, on = ways_told(told)
    good = int(re.search(r"--from-step=(\d+)", " ".join(back))[1])
    assert 0 < good < spiked_at
    nanograd(*back, f"--max-steps={good + 4}")
    saved = load_run(run.checkpoint_path)
    assert (saved.step, saved.settings.lr) == (good + 4, 2.5)
    assert saved.metrics.steps.tolist() == list(range(1, good + 5))
    assert [change.step for change in run.changes()] == [good]
    assert max(kept.step for kept in run.checkpoints.all()) == good + 4
    assert "match at all" in nanograd("verify", run.path.name).stdout
    assert on == back[:2] + back[-1:]


def test_a_run_elsewhere_is_named_by_its_place(nanograd, tmp_path, text_file):
    nanograd("train", text_file, *SMALL, "--max-steps", 2)
    (run,) = runs_of(tmp_path)
    elsewhere = tmp_path / "my runs" / "first"
    shutil.copytree(run.path, elsewhere)
    told = nanograd("resume", elsewhere, "--lr=1000", "--grad-clip=0", "--max-steps=400", status=1)
    assert str(elsewhere) in told.stdout


def test_scripts_are_told_the_ways_on_after_a_jump(nanograd, tmp_path, text_file):
    rows = rows_of(nanograd("train", text_file, *SMALL, *RISING, "--json", status=3))
    assert [row["event"] for row in rows[-4:]] == ["loss_spiked", "checkpoint_saved", "way_offered", "way_offered"]
    step = rows[-4]["step"]
    nanograd(*rows[-1]["command"].split()[1:], f"--max-steps={step + 2}")
    assert load_run(runs_of(tmp_path)[0].checkpoint_path).step == step + 2


def test_a_run_goes_back_only_as_far_as_checkpoints_are_kept(nanograd, tmp_path, text_file):
    nanograd("train", text_file, *SMALL)
    (run,) = runs_of(tmp_path)
    (run.path / "checkpoints" / "step-000000000.safetensors").unlink(missing_ok=True)
    told = nanograd("resume", run.path.name, "--from-step", 1, status=1).stderr
    assert "Those kept are of steps:" in told
    assert "give its name" in nanograd("resume", run.checkpoint_path.parent / "checkpoints" / "step-000000008.safetensors",
                                       "--from-step", 4, status=1).stderr  # fmt: skip


def test_a_run_whose_text_has_changed_or_is_gone_says_so_and_goes_on(nanograd, tmp_path, text_file):
    nanograd("train", text_file, *SMALL)
    (run,) = runs_of(tmp_path)
    text_file.write_text("something else\n" * 50, encoding="utf-8")
    assert "cats.txt has changed" in nanograd("resume", run.path.name, "--max-steps", 13).stderr
    text_file.unlink()
    assert "cats.txt cannot be found" in nanograd("resume", run.path.name, "--max-steps", 14).stderr


def test_a_run_that_another_process_writes_is_refused(nanograd, tmp_path, text_file):
    nanograd("train", text_file, *SMALL)
    (run,) = runs_of(tmp_path)
    run.lock()
    told = nanograd("resume", run.path.name, "--max-steps", 20, status=1)
    assert f"process {os.getpid()}" in told.stderr
    run.release()
    nanograd("resume", run.path.name, "--max-steps", 20)


def test_a_run_from_the_command_line_opens_in_the_window_and_the_other_way_round(nanograd, tmp_path, text_file, person):
    nanograd("train", text_file, *SMALL)
    (run,) = runs_of(tmp_path)
    person.open_checkpoint(run.path)
    assert person.window.history.steps.tolist() == list(range(1, 13))
    person.set("setting_max_steps", 15)
    person.do("train_action")
    person.wait(lambda: len(person.window.history.steps) == 15)
    person.wait_for_state("finished")
    person.leave()
    nanograd("resume", run.path.name, "--max-steps", 18)
    assert load_run(run.checkpoint_path).metrics.steps.tolist() == list(range(1, 19))
    assert "match at all" in nanograd("verify", run.path.name).stdout


def test_the_script_forwards_commands_and_opens_the_window_otherwise(tmp_path, capsys):
    assert main(["list", "--data-directory", str(tmp_path)]) == 0
    assert "begin one with" in capsys.readouterr().out
