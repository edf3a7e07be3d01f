"""Schedulers set the rates that PyTorch's set, step by step, alone and together."""

import numpy as np
import pytest

from nanograd import optim
from nanograd.module import Parameter
from nanograd.tensor import wrap

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")

STEPS = 40
CASES = [
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.95**epoch}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 0.95**epoch, lambda epoch: 1 / (1 + epoch)]}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 12}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 12}),
    ("CosineAnnealingLR", {"T_max": 13}),
    ("CosineAnnealingLR", {"T_max": 40, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 0.01}),
]
MIXTURES = [
    [("LinearLR", {"start_factor": 0.1, "total_iters": 5}), ("CosineAnnealingLR", {"T_max": 20, "eta_min": 1e-3})],
    [("StepLR", {"step_size": 3}), ("LambdaLR", {"lr_lambda": lambda epoch: 0.9**epoch})],
    [("LinearLR", {}), ("StepLR", {"step_size": 2, "gamma": 0.5}), ("CosineAnnealingLR", {"T_max": 5})],
]


class Side:
    """An optimizer of two groups, here or in PyTorch."""

    def __init__(self, package, tensor):
        self.parameters = [tensor(np.ones(2)), tensor(np.ones(3))]
        groups = [{"params": self.parameters[:1]}, {"params": self.parameters[1:], "lr": 0.3}]
        self.package, self.optimizer = package.lr_scheduler, package.SGD(groups, lr=0.1)

    def scheduler(self, name, settings):
        return getattr(self.package, name)(self.optimizer, **settings)

    def rates(self, schedulers, steps=STEPS):
        """The rates after each step, as set in the groups."""
        rates = []
        for _ in range(steps):
            rates.append([group["lr"] for group in self.optimizer.param_groups])
            self.optimizer.step()
            for scheduler in schedulers:
                scheduler.step()
        return rates


def sides():
    return Side(optim, lambda array: Parameter(array)), Side(torch.optim, lambda array: torch.tensor(array, requires_grad=True))


@pytest.mark.parametrize(("name", "settings"), CASES, ids=[f"{name}-{index}" for index, (name, _) in enumerate(CASES)])
def test_a_scheduler_sets_pytorchs_rates(name, settings):
    ours, theirs = (side.rates([scheduler]) for side in sides() for scheduler in [side.scheduler(name, settings)])
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("mixture", MIXTURES, ids=["warm-up and cosine", "steps and function", "three"])
def test_several_schedulers_set_pytorchs_rates(mixture):
    results = []
    for side in sides():
        schedulers = [side.scheduler(*part) for part in mixture]
        results.append(side.rates(schedulers, steps=20))
        assert schedulers[-1].last_epoch == 20
    np.testing.assert_allclose(*results, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(("name", "settings"), CASES, ids=[f"{name}-{index}" for index, (name, _) in enumerate(CASES)])
def test_a_scheduler_goes_on_from_its_state_as_if_never_saved(name, settings):
    straight = Side(optim, Parameter)
    expected = straight.rates([straight.scheduler(name, settings)])
    first, second = Side(optim, Parameter), Side(optim, Parameter)
    scheduler = first.scheduler(name, settings)
    begun = first.rates([scheduler], steps=15)
    resumed = second.scheduler(name, settings)
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    assert resumed.get_last_lr() == [group["lr"] for group in second.optimizer.param_groups]
    assert begun + second.rates([resumed], steps=STEPS - 15) == expected


@pytest.mark.parametrize(("name", "settings"), CASES, ids=[f"{name}-{index}" for index, (name, _) in enumerate(CASES)])
def test_a_scheduler_goes_on_from_a_last_epoch_as_pytorchs(name, settings):
    results = []
    for side in sides():
        side.rates([side.scheduler(name, settings)], steps=4)
        results.append(side.rates([side.scheduler(name, {**settings, "last_epoch": 4})], steps=6))
    np.testing.assert_allclose(*results, rtol=1e-9, atol=1e-15)


def test_the_optimizer_uses_the_rate_that_is_set():
    side = Side(optim, Parameter)
    scheduler = side.scheduler("StepLR", {"step_size": 1, "gamma": 0.5})
    side.parameters[0].grad = wrap(np.ones(2))
    side.optimizer.step()
    scheduler.step()
    side.optimizer.step()
    np.testing.assert_allclose(side.parameters[0].array, 1 - 0.1 - 0.05)
    assert side.optimizer.param_groups[0]["initial_lr"] == 0.1


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda side: side.package.StepLR(side.parameters, 1), TypeError, "takes an optimizer, not list"),
        (lambda side: side.scheduler("LambdaLR", {"lr_lambda": [abs]}), ValueError, "each of the 2 groups; got 1"),
        (lambda side: side.scheduler("LinearLR", {"start_factor": 0.0}), ValueError, "start_factor is above 0"),
        (lambda side: side.scheduler("StepLR", {"step_size": 1, "last_epoch": 3}), KeyError, "initial_lr"),
    ],
)
def test_what_does_not_fit_is_told(make, error, words):
    with pytest.raises(error, match=words):
        make(Side(optim, Parameter))
