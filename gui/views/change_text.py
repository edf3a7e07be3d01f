"""A change in the middle of a run, in words."""

from typing import Any

from gui.format import number_text
from nanograd.training.events import ProbeChanged, SettingsChanged
from nanograd.training.settings import declared_settings


def describe_change(change: SettingsChanged | ProbeChanged) -> str:
    """What was changed: "Learning rate 0.001 → 0.0005", or that the probe was."""
    if isinstance(change, ProbeChanged):
        return "Probe changed"
    labels = declared_settings()
    return ", ".join(
        f"{labels[name].label if name in labels else name} {_shown(before)} → {_shown(after)}"
        for name, before, after in change.changes
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number_text(value) if isinstance(value, int | float) else str(value)
