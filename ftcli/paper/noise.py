"""Reproducible random numbers: pure functions of a key, the same on every machine.

All randomness of the paper market comes from one 64-bit mixing function, so any moment of any
day can be computed alone, in any order. Only integer arithmetic and the exactly rounded float
operations are used.
"""

from math import sqrt

_MASK = 0xFFFFFFFFFFFFFFFF
_GOLDEN = 0x9E3779B97F4A7C15
_SQRT3 = 1.7320508075688772


def mix(value: int) -> int:
    """A 64-bit integer that looks random and depends on every bit of ``value``."""
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def text_key(text: str) -> int:
    """A 64-bit key of a text (FNV-1a, then mixed)."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & _MASK
    return mix(value)


def combine(*parts: int) -> int:
    """One key out of several integers; the order matters."""
    value = 0
    for part in parts:
        value = mix(value ^ (part & _MASK))
    return value


def stream(key: int, count: int) -> list[int]:
    """``count`` independent 64-bit integers belonging to a key."""
    numbers: list[int] = []
    append = numbers.append
    state = mix(key)
    for _ in range(count):
        state = (state + _GOLDEN) & _MASK
        value = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
        append(value ^ (value >> 31))
    return numbers


def lanes(number: int) -> tuple[float, float, float, float]:
    """The four 16-bit parts of a number as fractions in [0, 1)."""
    return (
        (number & 0xFFFF) / 65536.0,
        ((number >> 16) & 0xFFFF) / 65536.0,
        ((number >> 32) & 0xFFFF) / 65536.0,
        (number >> 48) / 65536.0,
    )


def normal(number: int) -> float:
    """An approximately normal deviate (mean 0, deviation 1, bounded by 3.5) from a number."""
    total = (number & 0xFFFF) + ((number >> 16) & 0xFFFF) + ((number >> 32) & 0xFFFF) + (number >> 48)
    return (total / 65536.0 - 2.0) * _SQRT3


def brownian_block(key: int, start: float, end: float, levels: int) -> list[float]:
    """A random walk of ``2 ** levels`` unit steps from ``start`` to ``end``, by midpoint displacement.

    Returns:
        ``2 ** levels + 1`` values; neighbours differ with a deviation of about one.
    """
    size = 1 << levels
    values = [0.0] * (size + 1)
    values[0], values[size] = start, end
    numbers = iter(stream(key, size - 1))
    step = size
    while step > 1:
        half = step >> 1
        spread = sqrt(half / 2.0)
        for left in range(0, size, step):
            middle = (values[left] + values[left + step]) / 2.0
            values[left + half] = middle + spread * normal(next(numbers))
        step = half
    return values
