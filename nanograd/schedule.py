"""Schedulers of the learning rate, as torch.optim.lr_scheduler.

A scheduler counts `last_epoch` from 0, at its creation, and one more at each `step()`, which comes after the optimizer's.
Each changes the rate that is set now, so several may work on one optimizer together.
"""

from collections.abc import Callable, Mapping, Sequence
from math import cos, pi
from typing import Any

from nanograd.parameter_groups import Optimizer


class LRScheduler:
    """The base of every scheduler: a subclass defines `get_lr`, the rate of each group at `last_epoch`.

    `base_lrs` are the rates the groups began with, kept as "initial_lr" in each. To go on from an earlier run, load the
    states of optimizer and scheduler, or give the `last_epoch` it had.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"A scheduler takes an optimizer, not {type(optimizer).__name__}.")
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError("To go on from last_epoch, each group needs its initial_lr: load the optimizer's state first.")
        self.optimizer = optimizer
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._is_resuming = last_epoch >= 0
        self.step()
        self._is_resuming = False

    def get_lr(self) -> list[float]:
        """The rate of each group at `last_epoch`."""
        return [self._next(group["lr"], base) for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True)]

    def _next(self, lr: float, base: float) -> float:
        """The rate of a group whose rate is `lr`, and was `base` in the beginning."""
        raise NotImplementedError(f"{type(self).__name__} defines no get_lr().")

    def get_last_lr(self) -> list[float]:
        """The rate of each group that was set last."""
        return self._last_lr

    def step(self) -> None:
        """Go on by one and set the rates."""
        self.last_epoch += 1
        self._last_lr = self.get_lr()
        for group, lr in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = lr

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, and functions that were given."""
        return {name: value for name, value in self.__dict__.items() if name not in ("optimizer", "lr_lambdas")}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; the optimizer's rates come with the optimizer's own state."""
        self.__dict__.update(state_dict)


class LambdaLR(LRScheduler):
    """The rate a group began with, times `lr_lambda(last_epoch)`; one function for all groups, or one for each.

    >>> from nanograd.optimizer import SGD
    >>> from nanograd.tensor import Tensor
    >>> schedule = LambdaLR(SGD([Tensor([1.0])], lr=0.8), lambda epoch: 0.5**epoch)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.4]
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]], last_epoch: int = -1
    ) -> None:
        count = len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, Sequence) else [lr_lambda] * count
        if len(self.lr_lambdas) != count:
            raise ValueError(f"Give one function, or one for each of the {count} groups; got {len(self.lr_lambdas)}.")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group at `last_epoch`."""
        return [base * function(self.last_epoch) for base, function in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class StepLR(LRScheduler):
    """The rate times `gamma` after every `step_size` steps."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        is_due = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return lr * self.gamma if is_due else lr


class LinearLR(LRScheduler):
    """A warm-up: the rate times a factor that goes evenly from `start_factor` to `end_factor` in `total_iters` steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ValueError(f"start_factor is above 0, end_factor at least 0, both up to 1; got {start_factor}, {end_factor}.")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        if self.last_epoch == 0:
            return lr * self.start_factor
        if self._is_resuming or self.last_epoch > self.total_iters:
            return lr
        return lr * (self._factor(self.last_epoch) / self._factor(self.last_epoch - 1))

    def _factor(self, epoch: int) -> float:
        return self.start_factor + (self.end_factor - self.start_factor) * epoch / self.total_iters


class CosineAnnealingLR(LRScheduler):
    """Along half a cosine from the rate a group began with to `eta_min` in `T_max` steps, then up again, and so on.

    eta_min + (base - eta_min) (1 + cos(pi last_epoch / T_max)) / 2 (Loshchilov and Hutter, 2017, without restarts).
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        if self.last_epoch == 0 or self._is_resuming:
            return lr
        now = 1 + cos(pi * self.last_epoch / self.T_max)
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # from the bottom, where the ratio would be 0 / 0
            return lr + (base - self.eta_min) * now / 2
        return self.eta_min + (lr - self.eta_min) * (now / (1 + cos(pi * (self.last_epoch - 1) / self.T_max)))
