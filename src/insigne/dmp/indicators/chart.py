"""The curve of documents fed by month and identity, as an SVG image that stands alone.

Lines differ by dash and mark as well as by colour; title and description say in words what is shown (WCAG 1.1.1).
Nothing in it is fetched, and no text in it is markup.
"""

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Final, NamedTuple

from insigne.dmp.indicators.figures import KIND_LABELS_FR, CurvePoint, Kind

WIDTH: Final = 960
HEIGHT: Final = 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 24, 56, 96
_STEPS: Final = 5
_MOST_LABELS: Final = 18
_ROOT: Final = 'role="img" aria-labelledby="titre description" lang="fr" font-family="sans-serif" font-size="12"'


class _Style(NamedTuple):
    field: str
    colour: str
    dash: str
    mark: str


_STYLES: Final = {
    Kind.QUALIFIED: _Style("qualified", "#00508c", "", "circle"),
    Kind.OTHER: _Style("other_ins", "#8a5a00", "10 4", "square"),
    Kind.INS_C: _Style("ins_c", "#b00020", "3 4", "triangle"),
    Kind.NONE: _Style("none", "#4a4a4a", "1 3", "cross"),
}


def chart(points: Sequence[CurvePoint], title: str) -> str:
    """The SVG document of a curve; kinds that never occur are left out, the qualified INS and the INS-C never."""
    shown = [
        kind
        for kind, style in _STYLES.items()
        if kind in (Kind.QUALIFIED, Kind.INS_C) or any(getattr(point, style.field) for point in points)
    ]
    top = _round_up(max((getattr(point, _STYLES[kind].field) for point in points for kind in shown), default=0))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {_ROOT}>',
        f'<title id="titre">{_text(title)}</title>',
        f'<desc id="description">{_text(describe(points))}</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="28" font-size="16" font-weight="bold" fill="#1a1a1a">{_text(title)}</text>',
        *_axes(points, top),
        *(line for kind in shown for line in _line(points, kind, top)),
        *_legend(shown),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def describe(points: Sequence[CurvePoint]) -> str:
    """What the curve shows, in French words."""
    if not points:
        return "Aucun document alimenté sur la période."
    sums = {kind: sum(getattr(point, style.field) for point in points) for kind, style in _STYLES.items()}
    told = ", ".join(f"{sums[kind]} {KIND_LABELS_FR[kind]}" for kind in _STYLES if sums[kind])
    first, last = points[0], points[-1]
    text = f"Documents alimentés au DMP par mois, de {first.month} à {last.month} : {told or 'aucun'}."
    crossing = next((one.month for one in points if one.qualified > one.ins_c), "")
    if sums[Kind.INS_C] and crossing:
        text += f" L’INS qualifié dépasse l’INS-C en {crossing}."
    if past := sum(point.past for point in points):
        text += f" {past} documents viennent de chiffres importés."
    return text


def _axes(points: Sequence[CurvePoint], top: int) -> Iterator[str]:
    for step in range(_STEPS + 1):
        value = top * step // _STEPS
        y = _y(value, top)
        yield f'<line x1="{_LEFT}" y1="{y}" x2="{WIDTH - _RIGHT}" y2="{y}" stroke="#d0d0d0"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end" fill="#1a1a1a">{value}</text>'
    every = max(1, ceil(len(points) / _MOST_LABELS))
    for index in range(0, len(points), every):
        x, y = _x(index, len(points)), HEIGHT - _BOTTOM + 16
        yield (
            f'<text x="{x}" y="{y}" text-anchor="end" fill="#1a1a1a" transform="rotate(-40 {x} {y})">'
            f"{_text(points[index].month)}</text>"
        )


def _line(points: Sequence[CurvePoint], kind: Kind, top: int) -> Iterator[str]:
    style = _STYLES[kind]
    places = [(_x(index, len(points)), _y(getattr(point, style.field), top)) for index, point in enumerate(points)]
    if not places:
        return
    path = " ".join(f"{x},{y}" for x, y in places)
    dash = f' stroke-dasharray="{style.dash}"' if style.dash else ""
    yield f'<polyline points="{path}" fill="none" stroke="{style.colour}" stroke-width="2"{dash}/>'
    for (x, y), point in zip(places, points, strict=True):
        told = f"{point.month} : {getattr(point, style.field)} {KIND_LABELS_FR[kind]}"
        yield f"<g><title>{_text(told)}</title>{_mark(style, x, y)}</g>"


def _mark(style: _Style, x: float, y: float) -> str:
    match style.mark:
        case "circle":
            return f'<circle cx="{x}" cy="{y}" r="3.5" fill="{style.colour}"/>'
        case "square":
            return f'<rect x="{x - 3}" y="{y - 3}" width="6" height="6" fill="{style.colour}"/>'
        case "triangle":
            return f'<path d="M{x} {y - 4} l4 7 h-8 z" fill="{style.colour}"/>'
    return f'<path d="M{x - 3} {y - 3} l6 6 m0 -6 l-6 6" stroke="{style.colour}" stroke-width="1.5"/>'


def _legend(kinds: Sequence[Kind]) -> Iterator[str]:
    x, y = _LEFT, HEIGHT - 20
    for kind in kinds:
        style = _STYLES[kind]
        dash = f' stroke-dasharray="{style.dash}"' if style.dash else ""
        yield f'<line x1="{x}" y1="{y}" x2="{x + 32}" y2="{y}" stroke="{style.colour}" stroke-width="2"{dash}/>'
        yield _mark(style, x + 16, y)
        yield f'<text x="{x + 40}" y="{y + 4}" fill="#1a1a1a">{_text(KIND_LABELS_FR[kind])}</text>'
        x += 180


def _x(index: int, count: int) -> float:
    width = WIDTH - _LEFT - _RIGHT
    return round(_LEFT + (width / 2 if count == 1 else width * index / (count - 1)), 1)


def _y(value: int, top: int) -> float:
    return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top, 1)


def _round_up(most: int) -> int:
    """A round number, a multiple of the steps, that is not less."""
    if most <= _STEPS:
        return _STEPS
    unit = int(10 ** floor(log10(most)))
    return next(unit * factor // 2 for factor in (2, 4, 5, 10, 20) if unit * factor // 2 >= most)


def _text(text: str) -> str:
    """A text as XML: escaped, and without the characters that XML does not have."""
    return escape("".join(letter for letter in text if letter >= " " and letter not in "\ufffe\uffff"))
