import threading
from dataclasses import replace
from queue import Empty, Queue

import numpy as np
import pytest

from gui.commands import (
    CloseRun,
    EstimateCost,
    Generate,
    OpenBundledCorpus,
    OpenCheckpoint,
    OpenCorpus,
    PauseTraining,
    SaveCheckpoint,
    SetProbe,
    Shutdown,
    StartTraining,
    StopGenerating,
    StopTraining,
    TakeStep,
)
from gui.engine import Engine
from gui.events import (
    CheckpointOpened,
    CheckpointWritten,
    CorpusOpened,
    CostEstimated,
    GenerationFinished,
    ProblemFound,
    RunStateChanged,
    ShutdownRefused,
    TextGenerated,
)
from nanograd.text.source import TextSource
from nanograd.training.events import ProbeTaken, RunFinished, RunStarted, SampleWritten, StepFinished
from nanograd.training.parts import Parts
from nanograd.training.run import Run

PATIENCE_S = 30


class Listener:
    """An engine in a plain thread, and all that it has told."""

    def __init__(self, data_directory):
        self.told = []
        self._queue = Queue()
        self.engine = Engine(data_directory, self._queue.put)
        self.thread = threading.Thread(target=self.engine.run, daemon=True)
        self.thread.start()

    def ask(self, command, kind=None, is_right=lambda event: True):
        """Post a command and, where a kind is given, listen until such an event came; returns it."""
        self.engine.post(command)
        return kind and self.hear(kind, is_right)

    def hear(self, kind, is_right=lambda event: True):
        while True:
            try:
                event = self._queue.get(timeout=PATIENCE_S)
            except Empty:
                pytest.fail(f"no {kind.__name__} came after {self.told[-5:]}")
            self.told.append(event)
            if isinstance(event, kind) and is_right(event):
                return event

    def hear_state(self, state):
        return self.hear(RunStateChanged, lambda event: event.state == state)

    def states(self):
        return [event.state for event in self.told if isinstance(event, RunStateChanged)]

    def steps(self):
        return [event.step for event in self.told if isinstance(event, StepFinished)]

    def leave(self):
        self.engine.post(Shutdown(discards_unsaved=True))
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        while not self._queue.empty():
            self.told.append(self._queue.get())


@pytest.fixture
def listener(tmp_path):
    made = Listener(tmp_path / "data")
    yield made
    made.leave()


@pytest.fixture
def endless(small_settings):
    return replace(small_settings, max_steps=1_000_000)


def generate(prompt="the ", tokens=5, **more):
    request = {"prompt": prompt, "max_new_tokens": tokens, "temperature": 0.8, "top_k": 0, "top_p": 1.0, "seed": 1}
    return Generate(**(request | more))


def test_a_run_is_told_from_its_start_to_its_end(listener, text_file, small_settings):
    opened = listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))), CorpusOpened)
    assert (opened.name, opened.character_count, opened.byte_count) == ("cats.txt", 1920, 1920)
    assert sum(count for _, count in opened.token_counts) == 1920
    assert opened.probe == text_file.read_text(encoding="utf-8")[:24]
    listener.ask(StartTraining(settings=small_settings))
    listener.hear_state("finished")
    assert listener.states() == ["idle", "training", "finished"]
    assert listener.steps() == [1, 2, 3, 4, 5, 6]
    started = next(event for event in listener.told if isinstance(event, RunStarted))
    assert (started.step, started.settings) == (0, small_settings)
    assert [event.step for event in listener.told if isinstance(event, RunFinished)] == [6]


def test_a_bundled_text_has_no_path(listener):
    opened = listener.ask(OpenBundledCorpus(name="sums"), CorpusOpened)
    assert (opened.name, opened.path) == ("Sums", None)


def test_pausing_before_the_first_step_lets_the_run_begin_afterwards(listener, text_file, small_settings):
    listener.engine.post(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.engine.post(StartTraining(settings=small_settings))
    listener.engine.post(PauseTraining())
    listener.hear_state("paused")
    listener.ask(StartTraining(settings=small_settings))
    listener.hear_state("finished")
    assert listener.steps() == [1, 2, 3, 4, 5, 6]


def test_requests_go_before_the_next_step(listener, text_file, endless):
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(StartTraining(settings=endless), StepFinished)
    probe = listener.ask(SetProbe(text="fog"), ProbeTaken, lambda event: event.tokens == ("f", "o", "g"))
    np.testing.assert_allclose(probe.weights.sum(axis=-1), 1, rtol=1e-5)
    listener.ask(generate(), GenerationFinished)
    listener.ask(PauseTraining())
    listener.hear_state("paused")


def test_writing_and_training_take_turns(listener, text_file, endless):
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(StartTraining(settings=replace(endless, eval_interval=1_000_000)), StepFinished)
    listener.ask(generate(tokens=40), TextGenerated)
    before = len(listener.steps())
    listener.hear(GenerationFinished)
    assert len(listener.steps()) > before


def test_a_request_that_fails_does_not_disturb_the_run(listener, text_file, endless, tmp_path):
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(StartTraining(settings=endless), StepFinished)
    for command in (
        OpenCorpus(source=TextSource(paths=(tmp_path / "missing.txt",))),
        OpenCheckpoint(path=tmp_path / "missing.safetensors"),
        SaveCheckpoint(path=tmp_path / "missing" / "run.safetensors"),
        SetProbe(text="Ω"),
        generate(prompt="Ω"),
        generate(temperature=-1.0),
        OpenBundledCorpus(name="missing"),
    ):
        listener.ask(command, ProblemFound)
        listener.hear(StepFinished)
    assert "paused" not in listener.states()


def test_a_fault_of_the_programs_own_in_a_step_rests_the_run_with_its_traceback(
    listener, text_file, endless, monkeypatch, caplog
):
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(StartTraining(settings=endless), StepFinished)

    def break_down(*_):
        raise ZeroDivisionError("a fault")

    with monkeypatch.context() as broken:
        broken.setattr(Parts, "gradients", break_down)
        problem = listener.hear(ProblemFound)
    assert "a fault" in problem.message
    assert "break_down" in problem.details
    assert "unexpected error" in caplog.text
    assert listener.states()[-1] == "paused"
    listener.ask(StartTraining(settings=endless), StepFinished)


def test_a_step_that_the_memory_does_not_suffice_for_rests_the_run_and_says_what_to_do(listener, text_file, endless, monkeypatch):
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(StartTraining(settings=endless), StepFinished)

    def run_out(*_):
        raise MemoryError

    with monkeypatch.context() as small:
        small.setattr(Parts, "gradients", run_out)
        problem = listener.hear(ProblemFound)
    assert "smaller batch" in problem.message
    assert not problem.details
    listener.ask(StartTraining(settings=endless), StepFinished)


def test_a_fault_in_a_request_is_told_and_the_buttons_get_their_state_again(listener, text_file, endless, monkeypatch):
    unsaved = replace(endless, eval_interval=1_000_000)  # no evaluation saves the run meanwhile
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(TakeStep(settings=unsaved))
    listener.hear_state("paused")
    listener.ask(StartTraining(settings=unsaved), StepFinished)
    with monkeypatch.context() as broken:
        broken.setattr(Run, "save", lambda run, path=None: 1 / 0)
        problem = listener.ask(StopTraining(), ProblemFound)
        listener.hear_state("finished")
    assert "ZeroDivisionError" in problem.details


def test_a_shutdown_that_breaks_down_is_refused_and_a_second_one_is_not(tmp_path, text_file, endless, monkeypatch):
    unsaved = replace(endless, eval_interval=1_000_000)
    listener = Listener(tmp_path / "data")
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(StartTraining(settings=unsaved), StepFinished)
    monkeypatch.setattr(Run, "save", lambda run, path=None: 1 / 0)
    listener.ask(Shutdown(), ShutdownRefused)
    assert listener.states()[-1] == "paused"
    assert "Close the window again" in [event for event in listener.told if isinstance(event, ProblemFound)][-1].message
    listener.leave()


def test_a_shutdown_in_training_saves_the_last_step(tmp_path, text_file, endless):
    first = Listener(tmp_path / "data")
    first.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    first.ask(StartTraining(settings=endless), StepFinished)
    first.leave()
    (saved,) = (tmp_path / "data" / "runs").glob("*/checkpoint.safetensors")
    second = Listener(tmp_path / "data")
    opened = second.ask(OpenCheckpoint(path=saved), CheckpointOpened)
    second.leave()
    assert opened.step == first.steps()[-1]
    np.testing.assert_array_equal(opened.metrics.steps, np.arange(1, opened.step + 1))


def test_an_opened_run_brings_its_samples_and_one_from_elsewhere_brings_none(listener, text_file, small_settings, tmp_path):
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(StartTraining(settings=small_settings))
    listener.hear_state("finished")
    listener.ask(SaveCheckpoint(path=tmp_path / "copy.safetensors"), CheckpointWritten)
    written = tuple(event for event in listener.told if isinstance(event, SampleWritten))
    (saved,) = (tmp_path / "data" / "runs").glob("*/checkpoint.safetensors")
    assert listener.ask(OpenCheckpoint(path=saved), CheckpointOpened).samples == written
    assert [sample.step for sample in written] == [0, 2, 4, 6]
    assert listener.ask(OpenCheckpoint(path=tmp_path / "copy.safetensors"), CheckpointOpened).samples == ()


def test_damaged_lines_among_the_samples_are_left_out(listener, text_file, small_settings, tmp_path):
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(StartTraining(settings=small_settings))
    listener.hear_state("finished")
    (saved,) = (tmp_path / "data" / "runs").glob("*/checkpoint.safetensors")
    samples = saved.with_name("samples.jsonl")
    later = '{"step": 99, "prompt": "", "text": "of a run that went back"}'
    newer = '{"step": 2, "prompt": "", "text": "the same step, once more"}'
    samples.write_text(samples.read_text(encoding="utf-8") + f'{later}\n{newer}\n[1]\n{{"step": 4, "pro', encoding="utf-8")
    opened = listener.ask(OpenCheckpoint(path=saved), CheckpointOpened)
    assert [sample.step for sample in opened.samples] == [0, 2, 4, 6]
    assert opened.samples[1].text == "the same step, once more"


def test_a_checkpoint_is_paused_or_finished_as_its_steps_say(listener, text_file, small_settings, tmp_path):
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(TakeStep(settings=small_settings))
    listener.hear_state("paused")
    listener.ask(SaveCheckpoint(path=tmp_path / "middle.safetensors"), CheckpointWritten)
    listener.ask(StartTraining(settings=small_settings))
    listener.hear_state("finished")
    listener.ask(SaveCheckpoint(path=tmp_path / "end.safetensors"), CheckpointWritten)
    for name, state in (("middle", "paused"), ("end", "finished")):
        opened = listener.ask(OpenCheckpoint(path=tmp_path / f"{name}.safetensors"), CheckpointOpened)
        assert listener.hear(RunStateChanged).state == state
        assert not opened.corpus_missing


def test_a_new_run_starts_only_where_it_can_and_the_old_one_stays_until_then(listener, text_file, small_settings):
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(StartTraining(settings=small_settings))
    listener.hear_state("finished")
    listener.ask(StartTraining(settings=replace(small_settings, block_size=4000)), ProblemFound)
    assert listener.states()[-1] == "finished"
    listener.ask(generate(), GenerationFinished)


def test_closing_the_run_keeps_the_text(listener, text_file, small_settings):
    listener.ask(OpenCorpus(source=TextSource(paths=(text_file,))))
    listener.ask(StartTraining(settings=small_settings))
    listener.hear_state("finished")
    listener.ask(CloseRun())
    listener.hear_state("idle")
    assert listener.ask(generate(), ProblemFound).source == "prompt"
    listener.ask(StartTraining(settings=small_settings))
    listener.hear_state("finished")


def test_stopping_where_nothing_is_under_way_does_nothing(listener, small_settings):
    for command in (PauseTraining(), StopTraining(), StopGenerating()):
        listener.ask(command)
    listener.ask(EstimateCost(settings=small_settings), CostEstimated)
    assert listener.told[:-1] == []


def test_costs_are_measured_while_there_is_nothing_else_to_do(listener, small_settings):
    listener.ask(EstimateCost(settings=small_settings))
    listener.hear(CostEstimated, lambda event: event.is_measured)
