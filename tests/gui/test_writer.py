import pytest

from gui.commands import Generate
from gui.events import GenerationFinished, GenerationStarted, ProblemFound, TextGenerated
from gui.writer import Writer
from nanograd.generation import TokenSampled
from nanograd.text.byte import ByteTokenizer
from nanograd.text.tokenizer import visible
from nanograd.training.trainer import Trainer


@pytest.fixture
def told():
    return []


@pytest.fixture
def write(told, small_settings, small_corpus):
    """Writes a text to its end, with an untrained model."""
    trainer, writer = Trainer(small_settings, small_corpus), Writer(told.append)

    def start(**changes):
        request = {"prompt": "the ", "max_new_tokens": 6, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 4} | changes
        writer.start(Generate(**request), trainer.model, trainer.tokenizer, step=0)
        return writer

    return start


def finish(writer):
    while writer.is_writing:
        writer.write_for(0.0)


def text(told):
    return "".join(event.text for event in told if isinstance(event, TextGenerated))


def test_a_text_is_told_from_its_start_token_by_token_to_its_end(write, told):
    finish(write())
    assert told[0] == GenerationStarted(prompt="the ", seed=4)
    assert [type(event) for event in told[1:-1]] == [TextGenerated] * 6
    end = told[-1]
    assert isinstance(end, GenerationFinished)
    assert (end.token_count, end.was_stopped) == (6, False)
    assert end.tokens_per_second > 0


def test_each_token_has_its_probability_and_its_rivals_likeliest_first(write, told):
    finish(write())
    for event in told[1:-1]:
        probabilities = [probability for _, probability in event.rivals]
        assert 0 < event.probability <= probabilities[0]
        assert probabilities == sorted(probabilities, reverse=True)


def test_no_time_is_time_for_one_token(write, told):
    writer = write()
    writer.write_for(0.0)
    assert len(text(told)) == 1
    assert writer.is_writing


def test_the_same_seed_gives_the_same_text_and_minus_one_a_new_seed(write, told):
    texts, seeds = [], []
    for seed in (4, 4, -1, -1):
        told.clear()
        finish(write(seed=seed, max_new_tokens=60))
        texts.append(text(told))
        seeds.append(told[0].seed)
    assert texts[0] == texts[1]
    assert seeds[2] != seeds[3]
    assert min(seeds) >= 0


def test_a_new_text_ends_the_one_before(write, told):
    write(max_new_tokens=100).write_for(0.0)
    write(prompt="dog")
    assert [type(event) for event in told] == [GenerationStarted, TextGenerated, GenerationFinished, GenerationStarted]
    assert told[2].was_stopped


@pytest.mark.parametrize("wrong", [{"temperature": -1.0}, {"top_k": -1}, {"top_p": 0.0}, {"top_p": 1.5}, {"prompt": "Ω"}])
def test_a_request_that_cannot_be_met_is_told_and_the_text_under_way_goes_on(write, told, wrong):
    writer = write(max_new_tokens=100)
    writer.write_for(0.0)
    write(**wrong)
    assert isinstance(told[-1], ProblemFound)
    assert told[-1].source == "prompt"
    assert writer.is_writing


def test_an_empty_prompt_begins_after_a_new_line(write, told):
    finish(write(prompt="", seed=9))
    begun_by_itself = text(told)
    told.clear()
    finish(write(prompt="\n", seed=9))
    assert text(told) == begun_by_itself


def test_stopping_where_nothing_is_written_tells_nothing(told):
    Writer(told.append).stop()
    assert told == []


def test_a_character_appears_with_the_last_of_its_bytes(told, small_settings, small_corpus):
    class Scripted:
        def stream(self, *_):
            for byte in "aé€".encode():
                yield TokenSampled(id=byte, probability=0.5, rivals=((byte, 0.5), (0xE2, 0.25)))

    writer = Writer(told.append)
    writer.start(
        Generate(prompt="", max_new_tokens=6, temperature=1.0, top_k=0, top_p=1.0, seed=1), Scripted(), ByteTokenizer(), 0
    )
    finish(writer)
    events = [event for event in told if isinstance(event, TextGenerated)]
    assert [event.text for event in events] == ["a", "", "é", "", "", "€"]
    assert [visible(event.token) for event in events] == ["a", "‹C3›", "‹A9›", "‹E2›", "‹82›", "‹AC›"]
    assert [visible(text) for text, _ in events[0].rivals] == ["a", "‹E2›"]


def test_a_text_goes_on_after_the_very_tokens_that_are_there_already(told, small_settings, small_corpus):
    class Watched:
        def stream(self, ids, *_):
            self.seen = ids.tolist()
            yield TokenSampled(id=0xAC, probability=0.5, rivals=((0xAC, 0.5),))

    model, writer = Watched(), Writer(told.append)
    request = Generate(
        prompt="a", following=("b", "\udce2", "\udc82"), max_new_tokens=1, temperature=1.0, top_k=0, top_p=1.0, seed=1
    )
    writer.start(request, model, ByteTokenizer(), 0)
    finish(writer)
    assert bytes(model.seen) == b"ab\xe2\x82"
    assert told[0].last_text == ""
    assert told[1].text == "€"
    whole = Generate(prompt="a", following=("\udcc3", "\udca9"), max_new_tokens=1, temperature=1.0, top_k=0, top_p=1.0, seed=1)
    writer.start(whole, model, ByteTokenizer(), 0)
    assert told[-1].last_text == "é"


def test_tokens_of_another_model_are_refused(write, told):
    write(following=("the", "Ω"))
    assert isinstance(told[-1], ProblemFound)
    assert "“the” is not among" in told[-1].message
