"""Speech into the sound track of a file: sample 0 at time 0, every sample written, in constant memory.

What encoders prepend (AAC 1024 samples of priming, Opus 312 of pre-skip) gets negative timestamps; mp4 takes it
away again by its edit list and Matroska by CodecDelay, and both mark Opus' and mp4 AAC's padding at the end, so
that the first and the last sample heard are the first and the last given.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import OutputContainer
from av.packet import Packet

from lipwright.core.clock import round_half_up
from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError, FootageError
from lipwright.media.audio import AudioReader
from lipwright.media.codecs import SoundCodec
from lipwright.media.opening import open_media

_BLOCK = 8192
"""Samples handled at once."""
_FALLBACK_RATE = 48_000
"""What every codec takes."""


class SoundTrack:
    """One sound stream, made before its container is opened.

    Args:
        codec: how to encode.
        bit_rate: bits per second, all channels together, of the codecs that lose something.
        audio: a file, whose sound is used at its own rate in mono or stereo; or (S,) / (S, 1 or 2) samples in
            [-1, 1] at `rate`. Rates that the codec does not take are resampled to 48 kHz.

    `rate` is the one written. ConfigError for more than two channels, FootageError for a file without sound.
    """

    def __init__(self, codec: SoundCodec, bit_rate: int, audio: str | os.PathLike[str] | F32, rate: int) -> None:
        if isinstance(audio, np.ndarray):
            blocks, rate, channels = _of_array(audio, rate, codec)
        else:
            blocks, rate, channels = _of_file(audio, codec)
        self.rate, self._codec, self._bit_rate = rate, codec, bit_rate
        self._layout = "mono" if channels == 1 else "stereo"
        self._frames = _frames(blocks, rate, self._layout, codec.sample_format)
        self._done_s = Fraction(0)

    def attach(self, container: OutputContainer) -> None:
        """Add the stream to an open output."""
        self._stream = cast(av.AudioStream, container.add_stream(self._codec.encoder, rate=self.rate))
        context = self._stream.codec_context
        context.layout, context.format = self._layout, self._codec.sample_format
        context.bit_rate = self._bit_rate
        context.time_base = Fraction(1, self.rate)

    def until(self, time_s: Fraction | None) -> Iterator[Packet]:
        """Packets of the sound up to a time; all of it and the encoder's rest when None."""
        while time_s is None or self._done_s < time_s:
            frame = next(self._frames, None)
            if frame is None:
                break
            self._done_s += Fraction(frame.samples, frame.sample_rate)
            yield from self._stream.encode(frame)
        if time_s is None:
            for packet in self._stream.encode(None):
                if packet.duration and packet.duration * 1000 < self.rate:
                    packet.duration = -(-self.rate // 1000)  # Matroska would round it to 0 ms and count a full packet
                yield packet


def _takes(codec: SoundCodec, rate: int) -> bool:
    return codec.rates is None or rate in codec.rates


def _of_file(path: str | os.PathLike[str], codec: SoundCodec) -> tuple[Iterator[F32], int, int]:
    with open_media(path) as container:
        if not container.streams.audio:
            raise FootageError(f"{path} has no sound track; give a file with speech in it")
        channels = min(2, container.streams.audio[0].codec_context.channels)
    reader = AudioReader(path, None, channels)
    if not _takes(codec, reader.source_rate):
        reader = AudioReader(path, _FALLBACK_RATE, channels)
    return reader.blocks(_BLOCK), reader.sample_rate, channels


def _of_array(samples: F32, rate: int, codec: SoundCodec) -> tuple[Iterator[F32], int, int]:
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    if channels not in (1, 2):
        raise ConfigError(f"cannot encode sound of {channels} channels at {rate} Hz; give 1 or 2 at 48000 Hz")
    table = samples.reshape(len(samples), channels)
    blocks = (table[at : at + _BLOCK] for at in range(0, len(table), _BLOCK))
    if _takes(codec, rate):
        return blocks, rate, channels
    return _resampled(blocks, rate, channels), _FALLBACK_RATE, channels


def _resampled(blocks: Iterator[F32], rate: int, channels: int) -> Iterator[F32]:
    """At 48 kHz: as long as the source, to the sample."""
    layout = "mono" if channels == 1 else "stereo"
    resampler = av.AudioResampler(format="flt", layout=layout, rate=_FALLBACK_RATE)
    taken = given = 0
    for block in blocks:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(block, np.float32).reshape(1, -1), "flt", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, taken, Fraction(1, rate)
        taken += len(block)
        for out in resampler.resample(frame):
            given += out.samples
            yield _table(out, channels)
    length = round_half_up(Fraction(taken * _FALLBACK_RATE, rate))
    for out in resampler.resample(None) if taken else []:
        tail = _table(out, channels)[: max(0, length - given)]
        given += len(tail)
        yield tail
    if given < length:
        yield np.zeros((length - given, channels), np.float32)


def _table(frame: AudioFrame, channels: int) -> F32:
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1, channels)


def _frames(blocks: Iterator[F32], rate: int, layout: str, sample_format: str) -> Iterator[AudioFrame]:
    """Blocks of (n,) or (n, channels) as audio frames with exact timestamps."""
    n = 0
    for block in blocks:
        table = _as_format(np.clip(block.reshape(len(block), -1), -1, 1), sample_format)
        shaped = table.T if sample_format == "fltp" else table.reshape(1, -1)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(shaped), sample_format, layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, n, Fraction(1, rate)
        n += len(block)
        yield frame


def _as_format(samples: F32, sample_format: str) -> np.ndarray:
    """Samples in [-1, 1] as floats, 16-bit, or 24-bit in the upper bits of 32: integers come back as they were."""
    if sample_format in ("flt", "fltp"):
        return samples.astype(np.float32)
    bits = 15 if sample_format == "s16" else 23
    whole = np.clip(np.rint(samples.astype(np.float64) * 2**bits), -(2**bits), 2**bits - 1).astype(np.int32)
    return whole.astype(np.int16) if sample_format == "s16" else whole << 8
