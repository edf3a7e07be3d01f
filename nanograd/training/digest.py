"""The same run: a digest of the weights at each evaluation, and a chain through them that no later change can keep."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nanograd.module import Module

_START = ""  # what the first link is chained to


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsDigest:
    """`digest` is the SHA-256 of the weights after `step` steps; `chain` that of the link before and this digest, as text."""

    step: int
    digest: str
    chain: str


class DigestChain:
    """The digests of a run in the order of their steps."""

    def __init__(self, digests: Mapping[int, str] | None = None) -> None:
        self._links: dict[int, WeightsDigest] = {}
        for step in sorted(digests or {}):
            self.add(step, (digests or {})[step])

    def add(self, step: int, digest: str) -> WeightsDigest:
        """The link for the weights of `step`, which is beyond all others."""
        before = next(reversed(self._links.values())).chain if self._links else _START
        link = WeightsDigest(step=step, digest=digest, chain=hashlib.sha256(f"{before}{digest}".encode()).hexdigest())
        self._links[step] = link
        return link

    def at(self, step: int) -> WeightsDigest | None:
        """The link of `step`; None where there is none."""
        return self._links.get(step)

    def as_dict(self) -> dict[int, str]:
        """Steps and digests, from which the chain follows."""
        return {step: link.digest for step, link in self._links.items()}


def weights_digest(model: Module) -> str:
    """The SHA-256 of the model's parameters in their order: each one's name, dtype and shape, then its little-endian bytes."""
    digest = hashlib.sha256()
    for name, parameter in model.named_parameters():
        array = np.ascontiguousarray(parameter.array)
        digest.update(f"{name} {array.dtype.name} {array.shape}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
