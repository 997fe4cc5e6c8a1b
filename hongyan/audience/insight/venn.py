"""Circles whose areas are the sizes of two or three sets and whose lenses are what each two share.

Two circles are always exact. Three circles have three distances only: the lenses of two are exact whenever such circles
exist at all; what all three share follows from them, so the drawing says that its middle is not to scale. Where two
distances leave no room for the third (one set lies apart from two that overlap strongly), all three give a little.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

_STEPS: Final = 400


@dataclass(frozen=True, slots=True)
class Circle:
    x: float
    y: float
    r: float


def circles(sizes: Sequence[int], shared: Sequence[Sequence[int]], *, width: float, height: float) -> list[Circle]:
    """Fitted into the box. Sizes of nothing give circles of nothing, at their place."""
    if not 2 <= len(sizes) <= 3:
        raise ValueError(len(sizes))
    radii = [math.sqrt(size / math.pi) for size in sizes]
    wanted = {(i, j): distance(radii[i], radii[j], shared[i][j]) for i, j in combinations(range(len(sizes)), 2)}
    places = _two(wanted) if len(sizes) == 2 else _three(wanted)
    return _fitted(places, radii, width, height)


def lens(r: float, s: float, d: float) -> float:
    """What two circles at distance d have in common.

    >>> round(lens(1, 1, 0), 4), lens(1, 1, 2), round(lens(2, 1, 0.5), 4)
    (3.1416, 0.0, 3.1416)
    """
    if d >= r + s:
        return 0.0
    if d <= abs(r - s):
        return math.pi * min(r, s) ** 2
    a = r * r * math.acos(_unit((d * d + r * r - s * s) / (2 * d * r)))
    b = s * s * math.acos(_unit((d * d + s * s - r * r) / (2 * d * s)))
    c = 0.5 * math.sqrt(max(0.0, (-d + r + s) * (d + r - s) * (d - r + s) * (d + r + s)))
    return a + b - c


def distance(r: float, s: float, shared: float) -> float:
    """How far apart two circles stand that share this area; apart with a gap when they share nothing."""
    if shared <= 0:
        return (r + s) * 1.06
    low, high = abs(r - s), r + s
    if shared >= math.pi * min(r, s) ** 2 * (1 - 1e-9):
        return low
    for _step in range(60):  # the lens shrinks as the distance grows: halve until the float is used up
        middle = (low + high) / 2
        low, high = (middle, high) if lens(r, s, middle) > shared else (low, middle)
    return (low + high) / 2


def _two(wanted: dict[tuple[int, int], float]) -> list[tuple[float, float]]:
    return [(0.0, 0.0), (wanted[0, 1], 0.0)]


def _three(wanted: dict[tuple[int, int], float]) -> list[tuple[float, float]]:
    """The triangle of these distances; if there is none, the places that miss them least (by small steps)."""
    ab, ac, bc = wanted[0, 1], wanted[0, 2], wanted[1, 2]
    x = (ab * ab + ac * ac - bc * bc) / (2 * ab) if ab else ac
    y = math.sqrt(max(0.0, ac * ac - x * x))
    places = [(0.0, 0.0), (ab, 0.0), (x, y)]
    for step in range(_STEPS):
        rate = 0.25 * (1 - step / _STEPS)
        for (i, j), far in wanted.items():
            (px, py), (qx, qy) = places[i], places[j]
            now = math.hypot(qx - px, qy - py)
            if now == 0:
                # Same place: any way out will do, but the same one each time.
                ux, uy, now = 1.0, float(i + j), 0.0
            else:
                ux, uy = (qx - px) / now, (qy - py) / now
            push = rate * (far - now)
            places[i] = (px - push * ux, py - push * uy)
            places[j] = (qx + push * ux, qy + push * uy)
    return places


def _fitted(places: list[tuple[float, float]], radii: list[float], width: float, height: float) -> list[Circle]:
    left = min(x - r for (x, _y), r in zip(places, radii, strict=True))
    right = max(x + r for (x, _y), r in zip(places, radii, strict=True))
    top = min(y - r for (_x, y), r in zip(places, radii, strict=True))
    bottom = max(y + r for (_x, y), r in zip(places, radii, strict=True))
    scale = min(width / (right - left or 1), height / (bottom - top or 1))
    dx, dy = (width - scale * (right - left)) / 2, (height - scale * (bottom - top)) / 2
    return [
        Circle(dx + scale * (x - left), dy + scale * (y - top), scale * r)
        for (x, y), r in zip(places, radii, strict=True)
    ]


def _unit(value: float) -> float:
    return max(-1.0, min(1.0, value))
