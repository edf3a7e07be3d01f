from dataclasses import replace

from nanograd.training.digest import DigestChain, weights_digest
from nanograd.training.trainer import Trainer, build_model


def test_one_bit_of_the_weights_changes_the_digest(small_settings):
    model = build_model(small_settings, 9)
    before = weights_digest(model)
    assert before == weights_digest(build_model(small_settings, 9))
    model.wpe.weight.array.view("u4")[0, 0] ^= 1
    assert weights_digest(model) != before
    assert weights_digest(build_model(replace(small_settings, seed=8), 9)) != before


def test_a_link_depends_on_all_before_it_and_the_chain_follows_from_the_digests():
    chain = DigestChain({0: "a" * 64, 2: "b" * 64})
    assert DigestChain(chain.as_dict()).add(4, "c" * 64) == chain.add(4, "c" * 64)
    other = DigestChain({0: "d" * 64, 2: "b" * 64})
    assert other.at(2).digest == chain.at(2).digest
    assert other.at(2).chain != chain.at(2).chain


def test_each_evaluation_carries_the_digest_of_its_weights(small_settings, small_corpus):
    trainer = Trainer(small_settings, small_corpus)
    evaluations = [event for event in trainer.run() if hasattr(event, "chain")]
    assert [event.step for event in evaluations] == [0, 2, 4, 6]
    assert len({event.digest for event in evaluations}) == 4
    assert evaluations[-1].digest == weights_digest(trainer.model)
