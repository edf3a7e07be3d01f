"""Numbers as people read them: counts, bytes, durations, losses. One place, so that they look the same everywhere."""

from decimal import Decimal
from html import escape
from math import isfinite
from typing import Final

UNKNOWN: Final = "–"
MINUTE, HOUR, DAY = 60, 3600, 86400


def count_text(count: int) -> str:
    """A whole number with its thousands apart: 1,115,394."""
    return f"{count:,}"


def short_count_text(count: int) -> str:
    """A whole number in three figures: 812, 25.3 k, 0.80 M, 10.6 M, 1.24 B."""
    if count < 10_000:
        return count_text(count)
    if count < 100_000:
        return f"{count / 1000:.1f} k"
    return f"{_three_figures(count / 1e6)} M" if count < 999_500_000 else f"{_three_figures(count / 1e9)} B"


def bytes_text(count: int) -> str:
    """An amount of memory in units of a thousand: 512 B, 48 kB, 1.1 MB, 212 MB."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while round(value) >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.1f} {units[0]}" if value < 9.95 and units[0] in ("MB", "GB", "TB") else f"{value:,.0f} {units[0]}"


def duration_text(seconds: float) -> str:
    """A span of time in the unit that suits it: 29 ms, 1.8 s, 24 s, 3 min, 1 h 20 min, 2 d 3 h."""
    if not isfinite(seconds) or seconds < 0:
        return UNKNOWN
    if seconds < 0.9995:
        return f"{seconds * 1000:.2g} ms" if seconds < 0.00995 else f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 59.5 * MINUTE:
        return f"{seconds / MINUTE:.0f} min"
    if seconds < DAY:
        return _two_units(round(seconds / MINUTE), 60, "h", "min")
    return _two_units(round(seconds / HOUR), 24, "d", "h")


def rough_duration_text(seconds: float) -> str:
    """A span of time that is only an estimate: about 1 min."""
    text = duration_text(seconds)
    return text if text == UNKNOWN else f"about {text}"


def age_text(seconds: float) -> str:
    """How long ago something was: just now, 12 s ago, 3 min ago."""
    if seconds < 1:
        return "just now"
    return f"{seconds:.0f} s ago" if seconds < 99.5 else f"{duration_text(seconds)} ago"


def loss_text(loss: float) -> str:
    """A loss in nats per token to three places: 1.795; nan stays nan."""
    return f"{loss:.3f}"


def number_text(number: float) -> str:
    """The shortest text that reads back as the same number: 0.1, 1e-3, 2.5e-4, 1000."""
    if not isfinite(number):
        return str(number)
    if number == 0:
        return "0"
    if 0.01 <= abs(number) < 1e6:
        return repr(number).removesuffix(".0")
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    mantissa = str(digits[0]) + ("." + "".join(map(str, digits[1:])) if len(digits) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}e{int(exponent) + len(digits) - 1}"


def scientific_text(number: float) -> str:
    """A number in two figures and a short exponent: 6.1e-4 rather than 6.1e-04."""
    mantissa, exponent = f"{number:.1e}".split("e") if isfinite(number) else (str(number), "0")
    return f"{mantissa}e{int(exponent)}" if int(exponent) else mantissa


def figure_text(number: float) -> str:
    """A number to two places, or by its exponent where it is very small or large: 0.48, 2.1e-3, 1.2e4."""
    return f"{number:.2f}" if not isfinite(number) or 0.095 <= abs(number) < 1000 else scientific_text(number)


def tooltip_text(text: str) -> str:
    """Plain text as a tooltip that wraps where it is long, and that never takes a "<" for markup."""
    paragraphs = escape(text, quote=False).split("\n\n")
    return "".join(f"<p style='margin: 2px 0'>{paragraph.replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)


def _three_figures(value: float) -> str:
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def _two_units(small_count: int, small_in_large: int, large: str, small: str) -> str:
    whole, rest = divmod(small_count, small_in_large)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"
