import numpy as np
import pytest

from gui.commands import Generate
from gui.events import GenerationFinished, MomentsKept, TextGenerated, WrittenBeside
from gui.past import Past
from nanograd.generation import Sampling
from nanograd.random import stream
from nanograd.training.run import Run


@pytest.fixture
def run(small_settings, small_corpus, tmp_path):
    return Run.start(small_settings, small_corpus, tmp_path)


@pytest.fixture
def told():
    return []


def request(beside, seed=3):
    return Generate(
        prompt="the ", max_new_tokens=12, temperature=1.0, top_k=0, top_p=1.0, seed=seed, beside=beside
    )  # fmt: skip


def write(past, run, step):
    past.start(request(step), run, run.trainer.tokenizer)
    while past.is_writing:
        past.write_for(0.0)


def texts(told):
    return "".join(
        event.event.text for event in told if isinstance(event, WrittenBeside) and isinstance(event.event, TextGenerated)
    )


def kept(told):
    return [event.steps for event in told if isinstance(event, MomentsKept)][-1]


def test_the_model_of_an_earlier_moment_writes_what_it_would_have_written_then(run, told):
    past, trainer = Past(told.append), run.trainer
    past.keep(run)
    tokens = trainer.model.stream(trainer.tokenizer.encode("the "), 12, Sampling(temperature=1.0), stream(3, "generate"))
    then = trainer.tokenizer.decode([token.id for token in tokens])
    before = {name: each.array.copy() for name, each in trainer.model.named_parameters()}
    for _ in range(40):
        trainer.take_step(lr=5e-2)
    past.keep(run)
    assert kept(told) == (0, 40)
    write(past, run, 0)
    assert texts(told) == then
    assert isinstance(told[-1].event, GenerationFinished)
    assert any((each.array != before[name]).any() for name, each in trainer.model.named_parameters())


def test_without_a_moment_or_one_that_is_not_kept_nothing_is_written(run, told):
    past = Past(told.append)
    past.keep(run)
    for step in (None, 7):
        past.start(request(step), run, run.trainer.tokenizer)
        assert not past.is_writing
    past.start(request(0), None, run.trainer.tokenizer)
    assert not past.is_writing


def test_moments_stay_within_the_budget_the_first_and_the_last_among_them(run, told):
    size = sum(each.array.nbytes for each in run.trainer.model.parameters())
    past = Past(told.append, budget_bytes=4 * size)
    for step in range(20):
        run.trainer.step = step
        past.keep(run)
        assert len(kept(told)) <= 4
        assert kept(told)[-1] == step
        assert kept(told)[0] == 0
    assert np.diff(kept(told)).max() <= 16


def test_a_model_that_is_larger_than_the_budget_is_not_kept(run, told):
    Past(told.append, budget_bytes=1).keep(run)
    assert told == []


def test_a_budget_of_one_keeps_the_last(run, told):
    past = Past(told.append, budget_bytes=sum(each.array.nbytes for each in run.trainer.model.parameters()))
    past.keep(run)
    run.trainer.step = 1
    past.keep(run)
    assert kept(told) == (1,)


def test_a_run_that_went_back_forgets_what_came_after(run, told):
    past = Past(told.append)
    for step in (0, 10, 20, 5):
        run.trainer.step = step
        past.keep(run)
    assert kept(told) == (0, 5)
    past.forget()
    assert kept(told) == ()
