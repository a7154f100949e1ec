"""The mel spectrogram Wav2Lip was trained on, and which of its columns belong to which frame.

80 columns a second; a frame hears 16 of them (0.2 s). Wav2Lip's inference gives frame f the columns from 80 f / fps;
its training began one frame earlier, so what it draws lags its sound by a frame. `compat` reproduces inference,
`aligned` takes the columns of training.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from lipwright.core.clock import FPS, SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError, ShapeError

CHANNELS, WINDOW, HOP, RATE, CHUNK = 80, 800, 200, 80, 16
OFFSETS = {"compat": 0, "aligned": -1}
"""Frames by which each mode's columns precede the frame's own."""
_LOW_HZ, _HIGH_HZ = 55.0, 7600.0
_EMPHASIS, _REFERENCE_DB, _MIN_DB, _LIMIT = 0.97, 20.0, -100.0, 4.0
_BLOCK = 2400
"""Columns transformed at once (30 s): long recordings need no long spectrogram."""
_LINEAR_HZ, _LINEAR_MELS = 200 / 3, 15.0
_LOG_STEP = np.log(6.4) / 27
"""Slaney's scale: linear up to 1000 Hz (15 mels), then 27 mels for every factor of 6.4."""


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    curved = _LINEAR_MELS * _LINEAR_HZ * np.exp(_LOG_STEP * (mels - _LINEAR_MELS))
    return np.where(mels < _LINEAR_MELS, mels * _LINEAR_HZ, curved)


def _mels(hertz: float) -> float:
    if hertz < _LINEAR_MELS * _LINEAR_HZ:
        return hertz / _LINEAR_HZ
    return float(_LINEAR_MELS + np.log(hertz / (_LINEAR_MELS * _LINEAR_HZ)) / _LOG_STEP)


@cache
def mel_basis(n_fft: int = WINDOW) -> NDArray[np.float64]:
    """(80, n_fft / 2 + 1) triangles from 55 to 7600 Hz, equally spaced on Slaney's scale, each of area 1 over hertz."""
    edges = _hertz(np.linspace(_mels(_LOW_HZ), _mels(_HIGH_HZ), CHANNELS + 2))
    bins = np.arange(n_fft // 2 + 1) * SAMPLE_RATE / n_fft
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    weights: NDArray[np.float64] = np.maximum(np.minimum(rising, falling), 0.0)
    return weights * (2 / (edges[2:] - edges[:-2]))[:, None]


def mel(samples: NDArray[Any], padding: str = "reflect") -> F32:
    """(80, 1 + S // 200) values in [-4, 4] of (S,) samples in [-1, 1] at 16 kHz; column c is centred on sample 200 c.

    Pre-emphasis 0.97, magnitudes of a periodic Hann window of 800, mel_basis, decibels less 20 of which [-100, 0]
    becomes [-4, 4]. `padding` of the ends: 'reflect' as Wav2Lip was trained (librosa below 0.9) or 'constant' (zeros,
    librosa since); they differ in the first and last two columns. Sound shorter than half a window is padded by zeros.
    """
    signal = np.asarray(samples, np.float64)
    if signal.ndim != 1:
        raise ShapeError("samples", ("S",), signal.shape)
    if padding not in ("reflect", "constant"):
        raise ConfigError(f"unknown padding '{padding}'; available: reflect, constant")
    if not len(signal):
        return np.zeros((CHANNELS, 0), np.float32)
    columns = 1 + len(signal) // HOP
    emphasised = np.append(signal[:1], signal[1:] - _EMPHASIS * signal[:-1])
    if padding == "reflect" and len(signal) > WINDOW // 2:
        padded = np.pad(emphasised, WINDOW // 2, mode="reflect")
    else:
        padded = np.pad(emphasised, WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:columns]
    return np.concatenate([_decibels(windows[c : c + _BLOCK]) for c in range(0, columns, _BLOCK)], axis=1)


def _decibels(windows: NDArray[np.float64]) -> F32:
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    return compressed(mel_basis() @ np.abs(rfft(windows * hann)).T)


def compressed(magnitudes: NDArray[np.float64]) -> F32:
    """Mel magnitudes of any shape to [-4, 4]: decibels less 20, of which [-100, 0] is the range."""
    decibels = 20 * np.log10(np.maximum(1e-5, magnitudes)) - _REFERENCE_DB
    scaled = 2 * _LIMIT * (decibels - _MIN_DB) / -_MIN_DB - _LIMIT
    return np.clip(scaled, -_LIMIT, _LIMIT).astype(np.float32)


def chunks_at_inference(n_columns: int, fps: Fraction = FPS) -> int:
    """How many frames Wav2Lip's inference makes of a spectrogram: until a chunk would pass its end, and one more."""
    if n_columns < CHUNK:
        raise ShapeError("mel", (CHANNELS, f">= {CHUNK}"), (CHANNELS, n_columns))
    return int(-(-(n_columns - CHUNK + 1) * fps // RATE)) + 1


def chunk_starts(n_columns: int, n_frames: int, fps: Fraction = FPS, mode: str = "compat") -> NDArray[np.int64]:
    """(T,) first column of each frame's chunk.

    `compat`: floor(80 f / fps), and no further than the last 16 columns, as Wav2Lip's inference. `aligned`: one frame
    earlier, as in training; negative at the start. Needs 16 columns (ShapeError).
    """
    if mode not in OFFSETS:
        raise ConfigError(f"unknown window mode '{mode}'; available: {', '.join(OFFSETS)}")
    if n_columns < CHUNK:
        raise ShapeError("mel", (CHANNELS, f">= {CHUNK}"), (CHANNELS, n_columns))
    starts = np.array([_first(f + OFFSETS[mode], fps) for f in range(n_frames)], np.int64)
    return np.minimum(starts, n_columns - CHUNK)


def _first(frame: int, fps: Fraction) -> int:
    return int(frame * RATE / fps // 1)


def chunks(spectrogram: F32, n_frames: int, fps: Fraction = FPS, mode: str = "compat") -> F32:
    """(T, 80, 16) what each frame hears of an (80, C) spectrogram; columns before the first mirror those after it."""
    starts = chunk_starts(spectrogram.shape[1], n_frames, fps, mode)
    columns = np.abs(starts[:, None] + np.arange(CHUNK))
    return np.ascontiguousarray(spectrogram[:, columns].transpose(1, 0, 2))
