"""A change in the middle of a run, in words."""

from typing import Any

from gui.format import number_text
from nanograd.training.events import ProbeChanged, SettingsChanged
from nanograd.training.settings import declared_settings


def describe_change(change: SettingsChanged | ProbeChanged) -> str:
    """All that was changed: "Learning rate 1e-3 → 5e-4, Steps 100 → 200", or that the probe was."""
    return ", ".join(_parts(change))


def name_change(change: SettingsChanged | ProbeChanged) -> str:
    """The same where there is little room: "Learning rate 1e-3 → 5e-4 and 1 more"."""
    first, *others = _parts(change) or [""]
    return f"{first} and {len(others)} more" if others else first


def _parts(change: SettingsChanged | ProbeChanged) -> list[str]:
    if isinstance(change, ProbeChanged):
        return ["Probe changed"]
    labels = {name: setting.label for name, setting in declared_settings().items()}
    return [f"{labels.get(name, name)} {_shown(before)} → {_shown(after)}" for name, before, after in change.changes]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number_text(value) if isinstance(value, int | float) else str(value)
