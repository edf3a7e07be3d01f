"""Two moments of a run side by side, from one prompt and seed."""


def choices(person):
    combo = person.find("beside_setting")
    return [combo.itemText(index) for index in range(combo.count())]


def generate(person, seed=5):
    finished = person.find("generated_text"), person.find("beside_text")
    person.generate(prompt="the ", tokens=20, seed=seed, temperature=1.0)
    person.wait(lambda: all(len(text.tokens) in (0, 20) for text in finished))
    return [text.text for text in finished]


def test_two_moments_write_side_by_side_and_the_same_moment_writes_the_same(person, text_file):
    person.train(text_file, max_steps=40, eval_interval=20)
    assert choices(person) == ["Compare…", "beside step 0", "beside step 20", "beside step 40"]
    now, beside = generate(person)
    assert beside == ""
    assert not person.find("beside_text").isVisible()
    person.set("beside_setting", "beside step 0")
    same, first = generate(person)
    assert same == now
    assert first != now
    assert person.find("beside_text").isVisible()
    person.set("beside_setting", "beside step 40")
    assert generate(person) == [now, now]


def test_a_rival_goes_on_alone_and_a_closed_run_takes_its_moments_along(person, text_file):
    person.train(text_file)
    person.set("beside_setting", "beside step 4")
    generate(person)
    token = person.find("generated_text").tokens[3]
    other = next(text for text, _ in token.rivals if text != token.text)
    with person.wait_for(person.window.generation_finished):
        person.find("generated_text").rival_chosen.emit(3, other)
    assert not person.find("beside_text").isVisible()
    person.do("close_run_action")
    person.wait_for_state("idle")
    assert choices(person) == ["Compare…"]
    assert not person.find("beside_setting").isEnabled()


def test_a_moment_is_written_beside_while_the_run_goes_on(person, text_file):
    person.train_past(text_file, 8)
    person.set("beside_setting", "beside step 0")
    generate(person)
    reached = len(person.window.history.steps)
    person.wait(lambda: len(person.window.history.steps) > reached)
    assert person.errors == []
