"""What runs are called, and what sets several of them apart."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from gui.events import KeptRun
from gui.format import UNKNOWN, number_text
from nanograd.training.settings import declared_settings

_NAMED_DIFFERENCES: Final = 3


def began_text(path: Path, has_seconds: bool = False) -> str:
    """When a run began, to the minute or the second, which its folder's name begins with; the name itself where it does not."""
    try:
        began = datetime.strptime(path.name[:17], "%Y-%m-%d-%H%M%S")
    except ValueError:
        return path.name
    return f"{began.day} {began:%b %H:%M:%S}" if has_seconds else f"{began.day} {began:%b %H:%M}"


def title_of(run: KeptRun, has_seconds: bool = False) -> str:
    """When the run began, and the text's name."""
    began = began_text(run.path, has_seconds)
    return run.path.name if began == run.path.name else f"{began} · {Path(run.corpus_name).stem}"


def titles(runs: Sequence[KeptRun]) -> list[str]:
    """A title for each run that no other has: to the second where two began in the same minute, at worst its folder's name."""
    to_minute, to_second = Counter(map(title_of, runs)), Counter(title_of(run, True) for run in runs)
    found = []
    for run in runs:
        is_one = to_minute[title_of(run)] == 1
        found.append(title_of(run, not is_one) if is_one or to_second[title_of(run, True)] == 1 else run.path.name)
    return found


def differences(runs: Sequence[KeptRun]) -> dict[str, list[str]]:
    """The label of each setting that differs -> its value in each run. Runs whose settings cannot be read make no difference."""
    rows = {"Text": [run.corpus_name for run in runs]}
    declared = declared_settings()
    names = [*declared, *sorted({name for run in runs for name in run.settings} - set(declared))]
    for name in names:
        label = declared[name].label if name in declared else name
        rows[label] = [_shown(run.settings.get(name)) for run in runs]
    are_known = [bool(run.settings) for run in runs]
    return {
        label: values
        for label, values in rows.items()
        if len({v for v, known in zip(values, are_known, strict=True) if known}) > 1
    }


def legend_names(runs: Sequence[KeptRun]) -> list[str]:
    """A name for each run that tells only what differs; where that does not tell runs apart, also when they began."""
    rows = differences(runs)
    names = [_join([f"{label} {values[index]}" for label, values in rows.items()]) for index in range(len(runs))]
    return [
        name
        if run.settings and name and names.count(name) == 1
        else ", ".join(filter(None, [name if run.settings else "", title]))
        for name, run, title in zip(names, runs, titles(runs), strict=True)
    ]


def _join(parts: list[str]) -> str:
    more = len(parts) - _NAMED_DIFFERENCES
    return ", ".join(parts[:_NAMED_DIFFERENCES]) + (f" and {more} more" if more > 0 else "")


def _shown(value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number_text(value) if isinstance(value, int | float) else str(value)
