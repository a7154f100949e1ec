"""Speech to the expression of a morphable face: Meta Talk's network, and AudioDVP's linear one beside it.

Both look at seven video frames around the one they speak for. AudioDVP (Wen et al. 2020): 28 x 12 cepstra a frame, read
by the audio encoder of ATVGnet (Chen et al. 2019), 256 numbers each; then 7 to 5 to 3 to 1 by convolutions without
activation. Meta Talk says "modified" and 28 x 80; ours is [C] of the specification.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipwright.core.errors import ShapeError

_RATE = 4
"""Rows of 10 ms a video frame."""
ROWS, FRAMES, CODE = 28, 7, 256
"""Rows a window, frames a window, numbers a frame."""
EXPRESSIONS = 64


class AtnetAudio(nn.Module):
    """ATVGnet's audio encoder, in its checkpoint's layout (`audio_eocder`, as it is spelt there)."""

    def __init__(self) -> None:
        super().__init__()
        self.audio_eocder = nn.Sequential(
            _atnet_unit(1, 64), _atnet_unit(64, 128), nn.MaxPool2d(3, (1, 2)),
            _atnet_unit(128, 256), _atnet_unit(256, 256), _atnet_unit(256, 512), nn.MaxPool2d(3, (2, 2)),
        )  # fmt: skip
        self.audio_eocder_fc = nn.Sequential(nn.Linear(12 * 1024, 2048), nn.ReLU(), nn.Linear(2048, CODE), nn.ReLU())

    def forward(self, cepstra: Tensor) -> Tensor:
        """(B, 28, 12) cepstra to (B, 256), not negative."""
        if cepstra.ndim != 3 or cepstra.shape[1:] != (ROWS, 12):
            raise ShapeError("cepstra", ("B", ROWS, 12), tuple(cepstra.shape))
        code: Tensor = self.audio_eocder_fc(self.audio_eocder(cepstra[:, None]).flatten(1))
        return code


def _atnet_unit(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, 1, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())


class LinearExpression(nn.Module):
    """AudioDVP's: entirely linear, 16,232 parameters."""

    def __init__(self, expressions: int = EXPRESSIONS) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(FRAMES, 5, 3)
        self.conv2 = nn.Conv1d(5, 3, 3)
        self.conv3 = nn.Conv1d(3, 1, 3)
        self.fc = nn.Linear(CODE - 6, expressions)

    def forward(self, codes: Tensor) -> Tensor:
        """(B, 7, 256) codes of neighbouring frames to (B, E) expression."""
        if codes.ndim != 3 or codes.shape[1:] != (FRAMES, CODE):
            raise ShapeError("codes", ("B", FRAMES, CODE), tuple(codes.shape))
        found: Tensor = self.fc(self.conv3(self.conv2(self.conv1(codes))).flatten(1))
        return found


class SpeechExpression(nn.Module):
    """28 x 80 log mel rows a frame, coded frame by frame; seven codes to the expression of the middle one.

    Args:
        expressions: outputs.
        width: channels of the first convolution; the others are 2, 4, 4 and 8 times as wide. The paper-like size is 64.
        channels: mel channels.
    """

    def __init__(self, expressions: int = EXPRESSIONS, width: int = 64, channels: int = 80) -> None:
        super().__init__()
        self.channels = channels
        self.rows = nn.Sequential(
            *_unit(1, width), *_unit(width, 2 * width), nn.MaxPool2d(2),
            *_unit(2 * width, 4 * width), *_unit(4 * width, 4 * width), nn.MaxPool2d(2),
            *_unit(4 * width, 8 * width), nn.MaxPool2d(2),
        )  # fmt: skip
        self.code = nn.Sequential(nn.Linear(8 * width * (ROWS // 8) * (channels // 8), CODE), nn.ReLU())
        self.frames = nn.Sequential(nn.Conv1d(CODE, CODE, 3), nn.ReLU(), nn.Conv1d(CODE, CODE, 3), nn.ReLU())
        self.expression = nn.Linear(CODE * (FRAMES - 4), expressions)

    def forward(self, rows: Tensor) -> Tensor:
        """(B, 7, 28, 80) z-scored log mel of neighbouring frames to (B, E) expression."""
        self._check(rows, ("B", FRAMES))
        return self.from_codes(self.codes(rows.flatten(0, 1)).unflatten(0, (-1, FRAMES)))

    def sequence(self, rows: Tensor) -> Tensor:
        """(T, 28, 80) of a whole utterance to (T, E); each frame is coded once, the first and last are repeated."""
        self._check(rows, ("T",))
        codes = self.codes(rows)
        half = FRAMES // 2
        held = torch.cat([codes[:1].expand(half, -1), codes, codes[-1:].expand(half, -1)])
        return self.from_codes(held.unfold(0, FRAMES, 1).transpose(1, 2))

    def codes(self, rows: Tensor) -> Tensor:
        """(N, 28, 80) to (N, 256)."""
        code: Tensor = self.code(self.rows(rows[:, None]).flatten(1))
        return code

    def from_codes(self, codes: Tensor) -> Tensor:
        """(B, 7, 256) to (B, E)."""
        found: Tensor = self.expression(self.frames(codes.transpose(1, 2)).flatten(1))
        return found

    def _check(self, rows: Tensor, leading: tuple[object, ...]) -> None:
        wanted = (*leading, ROWS, self.channels)
        fits = rows.ndim == len(wanted) and all(
            isinstance(w, str) or w == g for w, g in zip(wanted, rows.shape, strict=True)
        )
        if not fits:
            raise ShapeError("rows", wanted, tuple(rows.shape))


class SharedExpression(nn.Module):
    """`SpeechExpression` over whole stretches: what overlapping windows have in common is computed once.

    A window moves by four rows and two poolings make one of four, so convolutions may run over the whole stretch; only
    at the edges of a window, where the other fills in zeros, does this one see the speech that is there. Seven times
    fewer operations: what a CPU can train.
    """

    halo = 2 * (FRAMES // 2) + 3
    """Frames on either side that a frame hears: two sevens, and 6 rows and a frame around them by convolution."""
    _spare = 3

    def __init__(self, expressions: int = EXPRESSIONS, width: int = 64, channels: int = 80) -> None:
        super().__init__()
        self.channels = channels
        self.rows = nn.Sequential(
            *_unit(1, width), *_unit(width, 2 * width), nn.MaxPool2d(2),
            *_unit(2 * width, 4 * width), *_unit(4 * width, 4 * width), nn.MaxPool2d(2),
            *_unit(4 * width, 8 * width), nn.MaxPool2d((1, 2)),
        )  # fmt: skip
        self.rows.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a third faster on a CPU
        self.code = nn.Sequential(nn.Linear(8 * width * (FRAMES // 2) * (channels // 8), CODE), nn.ReLU())
        self.frames = nn.Sequential(nn.Conv1d(CODE, CODE, 3), nn.ReLU(), nn.Conv1d(CODE, CODE, 3), nn.ReLU())
        self.expression = nn.Linear(CODE * (FRAMES - 4), expressions)

    def forward(self, rows: Tensor) -> Tensor:
        """(B, 4·(T + 18), C) z-scored rows of T frames with nine on either side to (B, T, E)."""
        _check_rows(rows, self.channels, self.halo)
        seen = self.rows(rows[:, None])[:, :, self._spare : -self._spare]
        pairs = torch.maximum(seen[:, :, :-1], seen[:, :, 1:])
        n = seen.shape[2] - FRAMES + 1
        # A window's seven rows of the last map, pooled in pairs: the seventh is left over.
        pooled = torch.stack([pairs[:, :, k : k + n] for k in range(0, FRAMES - 1, 2)], dim=3)
        codes = self.code(pooled.permute(0, 2, 1, 3, 4).flatten(2))
        frames = self.frames[1](self.frames[0](codes.transpose(1, 2)))
        seven = self.frames[3](self.frames[2](frames)).unfold(2, FRAMES - 4, 1)  # (B, 256, T, 3)
        found: Tensor = self.expression(seven.permute(0, 2, 1, 3).flatten(2))
        return found


class Windowed(nn.Module):
    """Either of the window networks over stretches, every window by itself."""

    halo = 2 * (FRAMES // 2)
    """Frames on either side that a frame hears."""

    def __init__(self, network: SpeechExpression | CepstraExpression) -> None:
        super().__init__()
        self.network = network

    def forward(self, rows: Tensor) -> Tensor:
        """(B, 4·(T + 12), C) z-scored rows of T frames with six on either side to (B, T, E)."""
        _check_rows(rows, self.network.channels, self.halo)
        heard = rows.unfold(1, ROWS, _RATE).transpose(2, 3)
        codes = self.network.codes(heard.flatten(0, 1)).unflatten(0, (len(rows), -1))
        seven = codes.unfold(1, FRAMES, 1).transpose(2, 3)
        return self.network.from_codes(seven.flatten(0, 1)).unflatten(0, (len(rows), -1))


def _check_rows(rows: Tensor, channels: int, halo: int) -> None:
    if rows.ndim != 3 or rows.shape[2] != channels or rows.shape[1] % _RATE or rows.shape[1] <= 2 * _RATE * halo:
        raise ShapeError("rows", ("B", f"{_RATE}·(T + {2 * halo})", channels), tuple(rows.shape))


class CepstraExpression(nn.Module):
    """AudioDVP's linear network on codes that need nobody's weights: the 256 principal components of 28 x 12 cepstra.

    Its own codes come from ATVGnet's encoder (`AtnetAudio`), trained on footage of thousands of people, and the weights
    are published without a licence; the components are the best linear stand-in, so that all of it is linear.
    """

    mean: Tensor
    basis: Tensor

    def __init__(self, expressions: int = EXPRESSIONS, channels: int = 12) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("mean", torch.zeros(ROWS * channels))
        self.register_buffer("basis", torch.zeros(ROWS * channels, CODE))
        self.linear = LinearExpression(expressions)

    def measure(self, rows: Tensor) -> None:
        """Principal components of (N, 28, C) rows of training, of deviation 1 together."""
        flat = rows.flatten(1).double()
        self.mean.copy_(flat.mean(0))
        values, ways = torch.linalg.eigh(torch.cov(flat.T).reshape(len(self.mean), -1))
        count = min(CODE, len(values))
        kept = ways[:, -count:].flip(1) / values.clamp_min(0).sum().sqrt().clamp_min(1e-6) * count**0.5
        self.basis[:, :count].copy_(kept)

    def codes(self, rows: Tensor) -> Tensor:
        """(N, 28, 12) to (N, 256)."""
        if rows.ndim != 3 or rows.shape[1:] != (ROWS, self.channels):
            raise ShapeError("rows", ("N", ROWS, self.channels), tuple(rows.shape))
        return (rows.flatten(1) - self.mean) @ self.basis

    def from_codes(self, codes: Tensor) -> Tensor:
        """(B, 7, 256) to (B, E)."""
        found: Tensor = self.linear(codes)
        return found


def _unit(n_in: int, n_out: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(n_in, n_out, 3, 1, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()


def expression_loss(found: Tensor, wanted: Tensor, spread: Tensor, lips: Tensor, steps: float = 0.3) -> Tensor:
    """What Meta Talk's network learns by: coefficients, lips in space, and how both move.

    MSE((δ - δ*) / σ) + 0.5 · mean |lip offset| ² + 0.3 (`steps`) · MSE of the steps from frame to frame, over σ.

    Args:
        found: (B, T, E) expression of consecutive frames, and `wanted` the same.
        spread: (E,) σ of the coefficients in training.
        lips: (E, K, 3) cm per unit of coefficient of the lip vertices.
    """
    apart = found - wanted
    scaled = apart / spread
    moved = torch.einsum("bte,ekc->btkc", apart, lips)
    loss = (scaled**2).mean() + 0.5 * (moved**2).sum(-1).mean()
    if found.shape[1] > 1:
        loss = loss + steps * functional.mse_loss(scaled.diff(dim=1), torch.zeros_like(scaled[:, 1:]))
    return loss
