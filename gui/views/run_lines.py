"""How the losses of several runs are drawn over each other, each in its colour with its mark, and named in a legend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from gui.theme import Theme
from gui.views.plot_axis import Floats, envelope, pen

_MARKS: Final = ("o", "s", "t1", "d", "t", "p", "star")
"""The shapes of the evaluations' points, beside the colour, one for each colour of Theme.runs."""
MARK_TEXTS: Final = ("●", "■", "▲", "◆", "▼", "⬟", "★")
"""The same as characters."""
_MOST_MARKS: Final = 20
_MOST_LINES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunCurve:
    """A run's losses (nats per token) over its steps, the number of its look, and what sets it apart."""

    look: int
    steps: Floats
    train_loss: Floats
    validation_steps: Floats
    validation_loss: Floats
    name: str = ""


def colour_of(look: int, theme: Theme) -> str:
    """A run's colour as #RRGGBB."""
    return theme.runs[look % len(theme.runs)]


def legend_text(names: Sequence[str], looks: Sequence[int], theme: Theme, present_name: str = "") -> str:
    """Rich text that names each run beside its colour and mark; a line for each where they are few.

    With a `present_name`, the run that is shown otherwise comes first.
    """
    parts = [f"this run&nbsp; {escape(present_name)}"] if present_name else []
    parts += [
        f"<span style='color:{colour_of(look, theme)}'>━{MARK_TEXTS[look % len(MARK_TEXTS)]}━</span>&nbsp;{escape(name)}"
        for name, look in zip(names, looks, strict=True)
    ]
    return ("<br>" if len(parts) <= _MOST_LINES and not present_name else " &nbsp;&nbsp;&nbsp; ").join(parts)


class RunLines:
    """Runs in a plot: validation losses as lines with marks, training losses thin behind them, all behind what else is there."""

    def __init__(self, plot: pg.PlotWidget) -> None:
        self._plot = plot
        self._curves: Sequence[RunCurve] = ()
        self._has_training = True
        self._lines: list[Any] = []
        self._items: list[Any] = []
        self._drawn_as: tuple[Any, ...] = ()
        self._ends = np.empty((0, 3))

    @property
    def drawn(self) -> list[tuple[str, str, int]]:
        """What is drawn: "training" or "validation", its colour, and how many points it has."""
        return [(line.name(), line.opts["pen"].color().name().upper(), len(line.xData)) for line in self._lines]

    def named(self, theme: Theme) -> list[tuple[str, str]]:
        """What sets each run apart, and its colour."""
        return [(curve.name, colour_of(curve.look, theme)) for curve in self._curves]

    def validation_at(self, step: int, theme: Theme) -> list[tuple[str, str, float]]:
        """Each run's mark as a character, its colour, and its latest validation loss up to `step`, where it has one."""
        places = [int(np.searchsorted(curve.validation_steps, step, side="right")) - 1 for curve in self._curves]
        return [
            (MARK_TEXTS[curve.look % len(MARK_TEXTS)], colour_of(curve.look, theme), float(curve.validation_loss[place]))
            for curve, place in zip(self._curves, places, strict=True)
            if place >= 0
        ]

    @property
    def extent(self) -> tuple[float, float, float] | None:
        """The last step, and the lowest and the highest loss that is drawn; None where none is."""
        if not len(self._ends):
            return None
        last, low, high = self._ends.T
        return float(last.max()), float(low.min()), float(high.max())

    def show_curves(self, curves: Sequence[RunCurve], *, has_training: bool = True) -> None:
        """Draw these runs from the next `draw` on, their training losses too where it `has_training`."""
        self._curves, self._has_training = curves, has_training
        self._drawn_as = ()
        told = [(curve.validation_steps, curve.validation_loss) for curve in curves]
        told += [(curve.steps, curve.train_loss) for curve in curves if has_training]
        self._ends = np.array(
            [(steps[-1], np.nanmin(loss), np.nanmax(loss)) for steps, loss in told if np.isfinite(loss).any()]
        ).reshape(-1, 3)

    def draw(
        self, theme: Theme, scale: Callable[[Floats], Floats] = lambda loss: loss, within: tuple[float, float] | None = None
    ) -> None:
        """Draw them at the height that `scale` gives a loss, in full or `within` a range of steps; nothing where all is as before."""
        columns, ratio = max(int(self._plot.width()), 100), self._plot.devicePixelRatioF()
        drawn_as = (theme.name, scale(np.array([2.0]))[0], within, columns, ratio)
        if drawn_as == self._drawn_as:
            return
        self._drawn_as = drawn_as
        self._clear()
        for curve in self._curves if self._has_training else ():
            x, y = envelope(*_within(curve.steps, curve.train_loss, within), columns)
            self._add_line("training", x, scale(y), pen=pen(colour_of(curve.look, theme), 1, 0.35))
        for curve in self._curves:
            self._add_validation(curve, theme, scale, round(2 * ratio))

    def _add_validation(self, curve: RunCurve, theme: Theme, scale: Callable[[Floats], Floats], width: int) -> None:
        x, y = envelope(curve.validation_steps, curve.validation_loss, max(int(self._plot.width()), 100))
        y = scale(y)
        colour = colour_of(curve.look, theme)
        line = pen(colour, width)
        if curve.look // len(theme.runs) % 2:
            line.setStyle(Qt.PenStyle.DashLine)
        self._add_line("validation", x, y, pen=line)
        places = np.unique(np.linspace(0, len(x) - 1, _MOST_MARKS).astype(int)) if len(x) > _MOST_MARKS else slice(None)
        symbol = _MARKS[curve.look % len(_MARKS)]
        self._add(pg.ScatterPlotItem(x[places], y[places], symbol=symbol, size=8, pen=None, brush=colour))

    def _add_line(self, name: str, x: Floats, y: Floats, **looks: Any) -> None:
        line = pg.PlotCurveItem(x, y, name=name, antialias=name == "validation", skipFiniteCheck=True, **looks)
        self._lines.append(line)
        self._add(line)

    def _add(self, item: Any) -> None:
        item.setZValue(-0.5)  # the axes with their lines lie at -1
        self._items.append(item)
        self._plot.addItem(item, ignoreBounds=True)

    def _clear(self) -> None:
        for item in self._items:
            self._plot.removeItem(item)
        self._items.clear()
        self._lines.clear()


def _within(x: Floats, y: Floats, span: tuple[float, float] | None) -> tuple[Floats, Floats]:
    """The points within a span of `x`, and one more at either end."""
    if span is None:
        return x, y
    first, past = np.searchsorted(x, span)
    part = slice(max(int(first) - 1, 0), int(past) + 1)
    return x[part], y[part]
