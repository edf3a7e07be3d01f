"""Which colour and mark each run has, the same from one start of the program to the next."""

import json
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from typing import Final

from PySide6.QtCore import QSettings

_KEY: Final = "runs/looks"


class RunLooks:
    """Numbers by the names of runs' folders: colours and marks repeat beyond as many as a theme has, then lines are dashed."""

    def __init__(self) -> None:
        self._looks: dict[str, int] = {}
        self._listed: set[str] = set()
        self._preferences: QSettings | None = None

    def of(self, name: str) -> int:
        """A run's number, which it was given."""
        return self._looks[name]

    def give(self, names: Iterable[str]) -> None:
        """Give each of all the runs that has none yet the lowest number that is free."""
        names = list(names)
        taken = {self._looks[name] for name in names if name in self._looks}
        for name in names:
            if name not in self._looks:
                self._looks[name] = next(number for number in count() if number not in taken)
                taken.add(self._looks[name])
        if self._listed != set(names):
            self._listed = set(names)
            self._remember()

    def choose(self, name: str, look: int) -> None:
        """Give a run this number, whoever else has it."""
        self._looks[name] = look
        self._remember()

    def recall(self, preferences: QSettings) -> None:
        """Go on with the numbers that were written down there, and write down what comes."""
        self._preferences = preferences
        with suppress(ValueError, AttributeError):
            kept = json.loads(str(preferences.value(_KEY, "{}"))).items()
            self._looks = {name: look for name, look in kept if type(look) is int and 0 <= look < 1000} | self._looks

    def _remember(self) -> None:
        if self._preferences is not None:
            self._preferences.setValue(_KEY, json.dumps({name: self._looks[name] for name in sorted(self._listed)}))
