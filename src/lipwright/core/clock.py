"""All frame and sample arithmetic, exact.

Times are `Fraction` seconds, rates `Fraction` per second; floats never decide a frame. Frame f covers
[f/fps, (f+1)/fps) seconds; its samples are [sample_of(f), sample_of(f+1)).
"""

from __future__ import annotations

from fractions import Fraction

SAMPLE_RATE = 16_000
"""Samples per second of all speech inside the toolkit."""

FPS = Fraction(25)
"""Video rate of motion models unless a recipe says otherwise."""

# Containers write NTSC rates as decimals (29.97) or as coarse ratios (2997/100); these are what is meant.
_BROADCAST = tuple(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120))


def as_rate(value: Fraction | float | int | str) -> Fraction:
    """A frame rate as an exact fraction: 29.97 and 2997/100 mean 30000/1001.

    Raises ValueError for rates that are not positive or beyond 1000.
    """
    rate = Fraction(value) if not isinstance(value, float) else Fraction(value).limit_denominator(100_000)
    if not 0 < rate <= 1000:
        raise ValueError(f"frame rate {value} is outside (0, 1000]")
    for exact in _BROADCAST:
        if abs(rate - exact) < Fraction(1, 150):
            return exact
    return rate


def round_half_up(value: Fraction) -> int:
    """Nearest integer, halves up (Python's own rounds halves to even, which would jitter frame grids)."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def sample_of(frame: int, fps: Fraction = FPS, sample_rate: int = SAMPLE_RATE) -> int:
    """First sample of a frame: floor(frame · sample_rate / fps); 640·f at the default rates."""
    return int(frame * sample_rate / fps // 1)


def n_frames(n_samples: int, fps: Fraction = FPS, sample_rate: int = SAMPLE_RATE) -> int:
    """Number of frames that covers `n_samples`: the last frame may be partly silence, no speech is cut."""
    exact = Fraction(n_samples, sample_rate) * fps
    return -(-exact.numerator // exact.denominator)


def frame_at(time_s: Fraction, fps: Fraction) -> int:
    """Index of the frame that is on screen at `time_s`."""
    return int(time_s * fps // 1)


def frame_time(frame: int, fps: Fraction) -> Fraction:
    """Start of a frame in seconds."""
    return Fraction(frame) / fps


def timecode(time_s: Fraction | float) -> str:
    """`12.48 s` below a minute, `3:07.2` above: how messages name a place in a file."""
    t = float(time_s)
    return f"{t:.2f} s" if t < 60 else f"{int(t // 60)}:{t % 60:04.1f}"
