"""Samples out of any file, aligned to its pictures, in constant memory; and WAV files.

Sample 0 is the time of the first picture (of the first sample when the file has no pictures): sound that
starts later is preceded by silence, sound that starts earlier is cut, holes in the middle become silence.
"""

from __future__ import annotations

import os
import wave
from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer

from lipwright.core.clock import SAMPLE_RATE, round_half_up
from lipwright.core.contracts import F32
from lipwright.core.errors import FootageError
from lipwright.core.files import atomic_file
from lipwright.media.opening import audio_stream, open_media, packets_of, seconds, video_stream
from lipwright.media.probe import first_picture

_HOLE_S = Fraction(1, 25)
"""Timestamps may jitter by less than this without meaning a hole or an overlap."""
_SILENCE = 16_384
"""Samples of silence made at once, so that a late track of an hour needs no memory."""
_WARM_UP_S = Fraction(1)
"""Decoding starts this much before a wanted time: codecs need a few packets to settle."""
_SEEKABLE = ("mov", "wav", "flac")
"""Containers whose timestamps are exact to the sample; others are decoded from the beginning, so that a part
equals the same part of the whole: Matroska rounds to milliseconds, mp3 seeks by estimate."""


class AudioReader:
    """Blocks of float32 samples in [-1, 1] at one rate.

    Args:
        path: any file with sound.
        sample_rate: of the samples given; the track's own when None.
        channels: 1 (mean of left and right; 5.1 folded down with the centre loudest) or 2.
        start_s, end_s: seconds on the clock of the first picture; samples of [start_s, end_s) are given.
        track: which sound track, from 0; the file's default one when None.

    FootageError when the file cannot be read, or has no sound or no such track.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sample_rate: int | None = SAMPLE_RATE,
        channels: int = 1,
        start_s: Fraction = Fraction(0),
        end_s: Fraction | None = None,
        track: int | None = None,
    ) -> None:
        self.path = path
        self.track = track
        self.channels = channels
        with open_media(path) as container:
            self.source_rate: int = audio_stream(container, path, track).codec_context.sample_rate
            self._origin_s = _picture_start(container, path)
        self.sample_rate = sample_rate or self.source_rate
        self._start_s = Fraction(start_s)
        self._end_s = None if end_s is None else Fraction(end_s)

    def blocks(self, n: int = SAMPLE_RATE) -> Iterator[F32]:
        """Arrays of `n` samples, the last one shorter: (n,) for one channel, (n, 2) for two."""
        wanted = None
        if self._end_s is not None:
            wanted = max(0, round_half_up((self._end_s - self._start_s) * self.sample_rate))
        pending: list[F32] = []
        held = given = 0
        for piece in self._resampled():
            pending.append(piece)
            held += len(piece)
            while held >= n:
                joined = np.concatenate(pending)
                block, rest = joined[:n], joined[n:]
                pending, held = [rest], len(rest)
                if wanted is not None and given + n >= wanted:
                    if wanted > given:
                        yield self._shaped(block[: wanted - given])
                    return
                given += n
                yield self._shaped(block)
        if held:
            rest = np.concatenate(pending)
            rest = rest if wanted is None else rest[: max(0, wanted - given)]
            if len(rest):
                yield self._shaped(rest)

    def _shaped(self, block: F32) -> F32:
        block = np.clip(block, -1.0, 1.0)
        return np.ascontiguousarray(block[:, 0] if self.channels == 1 else block, dtype=np.float32)

    def _resampled(self) -> Iterator[F32]:
        """(n, channels) at `sample_rate`: as long as the aligned source, to the sample."""
        if self.sample_rate == self.source_rate:
            yield from self._aligned()
            return
        layout = "mono" if self.channels == 1 else "stereo"
        resampler = av.AudioResampler(format="flt", layout=layout, rate=self.sample_rate)
        taken = given = 0
        for piece in self._aligned():
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(piece).reshape(1, -1), "flt", layout)
            frame.sample_rate, frame.pts = self.source_rate, taken
            frame.time_base = Fraction(1, self.source_rate)
            taken += len(piece)
            for out in resampler.resample(frame):
                given += out.samples
                yield _interleaved(out, self.channels)
        length = round_half_up(Fraction(taken * self.sample_rate, self.source_rate))
        for out in resampler.resample(None) if taken else []:
            tail = _interleaved(out, self.channels)[: max(0, length - given)]
            given += len(tail)
            yield tail
        if given < length:
            yield np.zeros((length - given, self.channels), np.float32)

    def _aligned(self) -> Iterator[F32]:
        """(n, channels) at the source rate; the first sample is the one nearest to `start_s`."""
        rate = self.source_rate
        at = 0  # next sample to give, counted from start_s
        following: int | None = None  # where the last piece ended
        for start_s, piece in self._timed():
            place = round_half_up((start_s - self._start_s) * rate)
            if following is not None and abs(place - following) < _HOLE_S * rate:
                place = following
            following = place + len(piece)
            while place > at:
                n = min(_SILENCE, place - at)
                yield np.zeros((n, self.channels), np.float32)
                at += n
            piece = piece[max(0, at - place) :]
            if len(piece):
                yield piece
                at += len(piece)

    def _timed(self) -> Iterator[tuple[Fraction, F32]]:
        """(seconds on the pictures' clock, (n, channels) samples) of every decoded frame."""
        with open_media(self.path) as container:
            stream = audio_stream(container, self.path, self.track)
            goal = self._start_s - _WARM_UP_S + (self._origin_s or 0)
            seeks = self._start_s > 2 * _WARM_UP_S and container.format.name.startswith(_SEEKABLE)
            if seeks:
                container.seek(int(goal / Fraction(stream.time_base or 1)), stream=stream)
            first_s = seconds(stream.start_time, stream.time_base) or Fraction(0)
            length = seconds(stream.duration, stream.time_base) if "mov" in container.format.name else None
            origin, following = self._origin_s, Fraction(0)
            fold = _Fold(self.channels, self.source_rate)
            held: tuple[Fraction, F32] | None = None
            for frame in _decoded(container, stream):
                stamp = seconds(frame.pts, frame.time_base)
                if origin is None:
                    origin = first_s if stamp is None or seeks else stamp
                start_s = following if stamp is None else stamp - origin
                if held is not None:
                    yield held
                if self._end_s is not None and start_s >= self._end_s:
                    return
                piece = fold(frame)
                following = start_s + Fraction(len(piece), self.source_rate)
                held = start_s, piece
            if held is None or origin is None:
                raise FootageError(f"the sound of {self.path} cannot be decoded or is empty; export it again")
            yield self._unpadded(*held, None if length is None else first_s + length - origin)

    def _unpadded(self, start_s: Fraction, piece: F32, end_s: Fraction | None) -> tuple[Fraction, F32]:
        """The last piece without the codec's padding, where the container states the true end inside it."""
        if end_s is not None and start_s < end_s:
            piece = piece[: round_half_up((end_s - start_s) * self.source_rate)]
        return start_s, piece


class _Fold:
    """Any sample format, layout and (changing) rate to float at the track's rate, one or two channels."""

    def __init__(self, channels: int, rate: int) -> None:
        self.channels, self.rate = channels, rate
        self._resamplers: dict[tuple[str, str, int], av.AudioResampler] = {}

    def __call__(self, frame: AudioFrame) -> F32:
        key = (frame.format.name, frame.layout.name, frame.sample_rate)
        if key not in self._resamplers:
            self._resamplers[key] = av.AudioResampler(
                format="flt",
                layout="mono" if self.channels == 1 else "stereo",
                rate=self.rate,
                options={"rematrix_maxval": "1.0"},  # without it the sum of two channels is 3 dB too loud
            )
        frame.pts = None
        pieces = [_interleaved(out, self.channels) for out in self._resamplers[key].resample(frame)]
        return np.concatenate(pieces) if pieces else np.zeros((0, self.channels), np.float32)


def _interleaved(frame: AudioFrame, channels: int) -> F32:
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1, channels)


def _decoded(container: InputContainer, stream: av.AudioStream) -> Iterator[AudioFrame]:
    for packet in packets_of(container, stream):
        try:
            yield from cast(list[AudioFrame], packet.decode())
        except av.error.FFmpegError:
            continue  # a damaged packet: its time becomes silence


def _picture_start(container: InputContainer, path: str | os.PathLike[str]) -> Fraction | None:
    """Time of the first picture, None when the file has only sound."""
    try:
        stream = video_stream(container, path)
    except FootageError:
        return None
    picture = first_picture(container, stream)
    return None if picture is None else seconds(picture.pts, picture.time_base)


def read_audio(
    path: str | os.PathLike[str],
    sample_rate: int = SAMPLE_RATE,
    start_s: Fraction = Fraction(0),
    end_s: Fraction | None = None,
    track: int | None = None,
) -> F32:
    """All samples at once: (S,) float32 mono in [-1, 1], sample 0 at `start_s` of the pictures' clock.

    A two-hour file at 16 kHz is 460 MB: use AudioReader where the length is not known.
    `track` is the number of the sound track, from 0; the file's default one when None.
    FootageError when the file cannot be read, or has no sound or no such track.
    """
    blocks = list(AudioReader(path, sample_rate, start_s=start_s, end_s=end_s, track=track).blocks(1 << 20))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def write_wav(path: str | os.PathLike[str], samples: F32, sample_rate: int = SAMPLE_RATE) -> None:
    """Write (S,) or (S, channels) samples in [-1, 1] as 16-bit PCM, atomically; louder ones are clipped."""
    data = np.asarray(samples, np.float32)
    pcm = np.round(np.clip(data, -1.0, 1.0) * 32767).astype("<i2")
    with atomic_file(path) as temporary, wave.open(str(temporary), "wb") as stream:
        stream.setnchannels(1 if data.ndim == 1 else data.shape[1])
        stream.setsampwidth(2)
        stream.setframerate(sample_rate)
        stream.writeframes(pcm.tobytes())
