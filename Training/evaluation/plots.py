"""Plots as SVG that takes its colors from the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

WIDTH, LEFT, RIGHT, ROW, TOP = 720, 190, 24, 34, 28


@dataclass
class Series:
    """A number with its interval for each row."""

    name: str
    style: str  # a class of the page: seen, held, ceiling
    numbers: Sequence[dict[str, Any] | None]


def _scale(value: float, top: float) -> float:
    return LEFT + value / top * (WIDTH - LEFT - RIGHT)


def _frame(height: float, top: float, steps: Sequence[float], unit: str) -> list[str]:
    lines = []
    for step in steps:
        x = _scale(step, top)
        lines.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 24}"/>')
        lines.append(f'<text class="axis" x="{x:.1f}" y="{height - 8}" text-anchor="middle">{step:g}{unit}</text>')
    return lines


def _ticks(top: float) -> list[float]:
    each = next(
        size
        for size in (0.2, 0.25, 1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10**9)
        if top / size <= 6
    )
    return [index * each for index in range(int(top / each + 1e-9) + 1)]


def intervals(rows: Sequence[str], series: Sequence[Series], unit: str, label: str, most: float | None = None) -> str:
    """Dots with whiskers: a row for each name, its series under each other."""
    numbers = [number for one in series for number in one.numbers if number]
    top = most or max([number["high"] for number in numbers], default=1) * 1.05 or 1
    height = TOP + ROW * len(rows) + 32
    marks = _frame(height, top, _ticks(top), unit)
    for index, name in enumerate(rows):
        middle = TOP + ROW * (index + 0.5)
        marks.append(f'<text class="name" x="{LEFT - 14}" y="{middle + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        for place, one in enumerate(series):
            if (number := one.numbers[index]) is None:
                continue
            y = middle + (place - (len(series) - 1) / 2) * 10
            low, high, at = (_scale(min(number[key], top), top) for key in ("low", "high", "value"))
            spread = f"{number['low']:g} to {number['high']:g}"
            told = f"{name}, {one.name}: {number['value']:g}{unit} ({spread}), of {number['of']}"
            marks.append(
                f'<g class="{one.style}"><title>{escape(told)}</title>'
                f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<circle cx="{at:.1f}" cy="{y:.1f}" r="4.5"/></g>'
            )
    return _figure(height, marks, label, [(one.name, one.style) for one in series])


def strips(rows: dict[str, Sequence[float]], unit: str, label: str) -> str:
    """Every single value as a dot, and a bar at the median."""
    top = max((value for values in rows.values() for value in values), default=1) * 1.05
    height = TOP + ROW * len(rows) + 32
    marks = _frame(height, top, _ticks(top), unit)
    for index, (name, values) in enumerate(rows.items()):
        middle = TOP + ROW * (index + 0.5)
        marks.append(f'<text class="name" x="{LEFT - 14}" y="{middle + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        for value in values:
            marks.append(f'<circle class="dot" cx="{_scale(value, top):.1f}" cy="{middle:.1f}" r="4"/>')
        if values:
            x = _scale(sorted(values)[len(values) // 2], top)
            marks.append(
                f'<line class="median" x1="{x:.1f}" x2="{x:.1f}" y1="{middle - 11:.1f}" y2="{middle + 11:.1f}"/>'
            )
    return _figure(height, marks, label, [])


def _figure(height: float, marks: list[str], label: str, legend: list[tuple[str, str]]) -> str:
    keys = "".join(f'<span class="key {style}"><i></i>{escape(name)}</span>' for name, style in legend)
    return (
        f'<figure><figcaption>{escape(label)}<span class="keys">{keys}</span></figcaption>'
        f'<div class="scroll"><svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(label)}">'
        f"{''.join(marks)}</svg></div></figure>"
    )
