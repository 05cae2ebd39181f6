"""Charts as SVG text, without scripts and without anything from elsewhere, light and dark. Pure.

`line_chart` is a file of its own; `bar_chart` is for a page that has `STYLE` in a style element.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from zlib import crc32

# Each colour has a contrast of 3:1 to the paper (WCAG 2.2, 1.4.11), and no two are told apart by hue alone:
# lines also differ in dashes and carry their name, parts of bars stand in a table below.
_LIGHT = ("#2455c9", "#c2570c", "#0f766e", "#8a3ffc", "#b8336a", "#52616f")
_DARK = ("#7aa7ff", "#f5a45d", "#4fd1c0", "#c7a6ff", "#ff9dc0", "#a3b1bf")
COLOURS = len(_LIGHT)


def _variables(colours: Sequence[str], **others: str) -> str:
    named = {f"c{number}": colour for number, colour in enumerate(colours)} | others
    return "".join(f"--{name}:{value};" for name, value in named.items())


STYLE = (
    f".chart{{{_variables(_LIGHT, ink='#17212b', soft='#5a6773', line='#d5dce3', paper='#ffffff')}"
    "font:14px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    f"@media (prefers-color-scheme:dark){{.chart{{"
    f"{_variables(_DARK, ink='#eef2f6', soft='#a9b6c3', line='#3a4754', paper='#161d24')}}}}}"
    ".chart text{fill:var(--ink)}.chart .soft{fill:var(--soft)}.chart .strong{font-weight:600}"
    ".chart .track{fill:var(--line)}.chart .paper{fill:var(--paper)}.chart .grid{stroke:var(--line)}"
    ".chart .curve{fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}"
    + "".join(f".chart .f{n}{{fill:var(--c{n})}}.chart .s{n}{{stroke:var(--c{n})}}" for n in range(COLOURS))
)

_WIDTH, _HEIGHT = 760, 430
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 178, 66, 64
_DASHES = ("", "9 6", "2 6", "14 5 2 5", "5 4", "16 6")
_APART = 19  # pixels between the names of two lines

Points = Sequence[tuple[float, float]]
Place = Callable[[float], float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A bar: its name, what is written at its end, and its parts as (number of a colour, share of the width).

    Each part has a text of its own, which browsers show when one points at it.
    """

    label: str
    shown: str
    parts: Sequence[tuple[int, float, str]]


def line_chart(
    series: Mapping[str, Points], *, title: str, x_label: str, y_label: str, log_x: bool = True
) -> str:
    """Return an SVG file with a line for each series, by its name: x along a logarithmic axis, y from 0.

    `ValueError` without any point, and for an x that has no place on a logarithmic axis.
    """
    points = [point for line in series.values() for point in line]
    if not points:
        raise ValueError("a chart needs at least one point")
    if log_x and min(x for x, _ in points) <= 0:
        raise ValueError("a logarithmic axis has no place for 0 and below")
    x_ticks = _powers([x for x, _ in points]) if log_x else _ticks(max(x for x, _ in points))
    y_ticks = _ticks(max(y for _, y in points))

    def across(x: float) -> float:
        low, high, at = x_ticks[0], x_ticks[-1], x
        if log_x:
            low, high, at = math.log10(low), math.log10(high), math.log10(at)
        return _LEFT + (at - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def up(y: float) -> float:
        return _HEIGHT - _BOTTOM - y / y_ticks[-1] * (_HEIGHT - _TOP - _BOTTOM)

    drawn = [
        '<rect class="paper" width="100%" height="100%" rx="8"/>',
        f'<text class="strong" x="20" y="30" font-size="17">{_text(title)}</text>',
        f'<text class="soft" x="20" y="51">{_text(y_label)}</text>',
        *_grid(across, up, x_ticks, y_ticks),
        f'<text class="soft" x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 18}" text-anchor="middle">'
        f"{_text(x_label)}</text>",
    ]
    lines = {name: sorted(line) for name, line in series.items() if line}
    heights = _apart([up(line[-1][1]) for line in lines.values()], lowest=_HEIGHT - _BOTTOM)
    for number, (name, line) in enumerate(lines.items()):
        colour, dash = number % COLOURS, _DASHES[number % len(_DASHES)]
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        drawn.append(f'<polyline class="curve s{colour}" points="{path}"{dashes}/>')
        drawn += [
            f'<circle class="f{colour}" cx="{across(x):.1f}" cy="{up(y):.1f}" r="4">'
            f"<title>{_text(f'{name}: {y:,.4g} at {x:,.10g}')}</title></circle>"
            for x, y in line
        ]
        end = f'x="{across(line[-1][0]) + 12:.1f}" y="{heights[number] + 5:.1f}"'
        drawn.append(f'<text class="f{colour} strong" {end}>{_text(name)}</text>')
    described = "; ".join(
        f"{name}: " + ", ".join(f"{y:,.4g} at {x:,.10g}" for x, y in line) for name, line in lines.items()
    )
    return _svg(
        f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"',
        title,
        f"{y_label} by {x_label}. {described}.",
        f"<style>{STYLE}</style>{''.join(drawn)}",
    )


def bar_chart(bars: Sequence[Bar], *, title: str, description: str) -> str:
    """Return an SVG element as wide as its place, a bar below the other, whose text never shrinks."""
    row, drawn = 50, []
    for number, bar in enumerate(bars):
        top, left = number * row, 0.0
        drawn.append(f'<text x="0" y="{top + 15}">{_text(bar.label)}</text>')
        drawn.append(
            f'<text class="strong" x="100%" y="{top + 15}" text-anchor="end">{_text(bar.shown)}</text>'
        )
        drawn.append(f'<rect class="track" x="0" y="{top + 23}" width="100%" height="14" rx="2"/>')
        for colour, share, told in bar.parts:
            if share > 0:
                width = min(max(100 * share, 0.4), 100 - left)  # what is there can be seen
                drawn.append(
                    f'<rect class="f{colour % COLOURS}" x="{left:.3f}%" y="{top + 23}" '
                    f'width="{width:.3f}%" height="14" rx="2"><title>{_text(told)}</title></rect>'
                )
                left += width
    height = max(1, len(bars)) * row - 8
    return _svg(f'width="100%" height="{height}"', title, description, "".join(drawn))


def _svg(attributes: str, title: str, description: str, inside: str) -> str:
    name = f"chart-{crc32(f'{title}{description}'.encode(errors='replace')):08x}"
    return (
        f'<svg {attributes} class="chart" role="img" aria-labelledby="{name} {name}-more">'
        f'<title id="{name}">{_text(title)}</title><desc id="{name}-more">{_text(description)}</desc>'
        f"{inside}</svg>\n"
    )


def _text(text: str) -> str:
    """Escape a text for XML, which knows no control characters."""
    return escape("".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text))


def _grid(across: Place, up: Place, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> list[str]:
    drawn = []
    for y in y_ticks:
        at = f"{up(y):.1f}"
        drawn.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at}" y2="{at}"/>')
        drawn.append(
            f'<text class="soft" x="{_LEFT - 10}" y="{up(y) + 5:.1f}" text-anchor="end">{y:,.10g}</text>'
        )
    for x in x_ticks:
        at = f"{across(x):.1f}"
        drawn.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>')
        drawn.append(
            f'<text class="soft" x="{at}" y="{_HEIGHT - _BOTTOM + 22}" text-anchor="middle">{x:,.10g}</text>'
        )
    return drawn


def _powers(values: Sequence[float]) -> list[float]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def _ticks(highest: float) -> list[float]:
    """Return four to eight round numbers from 0 to the first at or above the highest."""
    if highest <= 0:
        return [0.0, 1.0]
    magnitude = 10.0 ** math.floor(math.log10(highest))
    step = next(magnitude * part for part in (0.2, 0.25, 0.5, 1, 2) if highest <= 6 * magnitude * part)
    return [number * step for number in range(math.ceil(round(highest / step, 9)) + 1)]


def _apart(heights: Sequence[float], *, lowest: float) -> list[float]:
    """Move heights so that no two are nearer than a line of text, and none is below the axis."""
    placed, last = list(heights), -math.inf
    order = sorted(range(len(placed)), key=placed.__getitem__)
    for number in order:
        placed[number] = last = max(placed[number], last + _APART)
    for number in reversed(order):
        placed[number] = min(placed[number], lowest)
        lowest = placed[number] - _APART
    return placed
