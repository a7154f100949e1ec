"""The three networks of Wav2Lip as lists of units: what builds them and what their files are checked against.

Prajwal et al., "A lip sync expert is all you need for speech to lip generation in the wild" (2020). Names and shapes
are those of the published checkpoints: `PREFIX.conv_block.0` is the convolution, `PREFIX.conv_block.1` its batch norm.
They are written down here because files are checked before any network is built.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from lipwright.core.errors import ConfigError

Pair = tuple[int, int]
WIDTHS = (1, 2, 4, 8)
"""By how much channels can be divided; 1 is the published width."""


@dataclass(frozen=True)
class Unit:
    """A convolution with its norm and activation."""

    name: str
    """Key of the unit in the checkpoint."""
    n_in: int
    n_out: int
    kernel: Pair
    stride: Pair
    padding: Pair
    residual: bool = False
    """The input is added before the activation."""
    transposed: bool = False
    """A transposed convolution; with stride 2 its output padding is 1."""
    norm: bool = True
    """Batch norm and ReLU; without it LeakyReLU of slope 0.01."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each of its tensors by name."""
        channels = (self.n_in, self.n_out) if self.transposed else (self.n_out, self.n_in)
        inner = f"{self.name}.conv_block"
        found: dict[str, tuple[int, ...]] = {f"{inner}.0.weight": (*channels, *self.kernel)}
        found[f"{inner}.0.bias"] = (self.n_out,)
        if self.norm:
            for side in ("weight", "bias", "running_mean", "running_var"):
                found[f"{inner}.1.{side}"] = (self.n_out,)
            found[f"{inner}.1.num_batches_tracked"] = ()
        return found


def _pair(value: int | Pair) -> Pair:
    return value if isinstance(value, tuple) else (value, value)


def _unit(
    name: str, n_in: int, n_out: int, kernel: int, stride: int | Pair = 1, padding: int | None = None, **more: bool
) -> Unit:
    around = kernel // 2 if padding is None else padding
    return Unit(name, n_in, n_out, _pair(kernel), _pair(stride), _pair(around), **more)


def _stage(prefix: str, first: Unit, residuals: int) -> list[Unit]:
    """A unit and residual ones after it, named `prefix.0`, `prefix.1` ..."""
    later = [_unit(f"{prefix}.{k + 1}", first.n_out, first.n_out, 3, residual=True) for k in range(residuals)]
    return [replace(first, name=f"{prefix}.0"), *later]


def _sound(prefix: str, deep: int) -> list[Unit]:
    """Audio encoder (1, 80, 16) -> (512, 1, 1); `deep` residual units at 256 channels."""
    rows: list[tuple[int, int, int | Pair, int]] = [(1, 32, 1, 2), (32, 64, (3, 1), 2), (64, 128, 3, 2)]
    rows.append((128, 256, (3, 2), deep))
    units: list[Unit] = []
    for n_in, n_out, stride, residuals in rows:
        units += _stage("", _unit("", n_in, n_out, 3, stride, 1), residuals)
    units += [_unit("", 256, 512, 3, 1, 0), _unit("", 512, 512, 1)]
    return [replace(unit, name=f"{prefix}.{k}") for k, unit in enumerate(units)]


def _generator() -> list[Unit]:
    prefix = "face_encoder_blocks"
    units = [_unit(f"{prefix}.0.0", 6, 16, 7)]
    for k, (n_in, n_out, residuals) in enumerate(
        [(16, 32, 2), (32, 64, 3), (64, 128, 2), (128, 256, 2), (256, 512, 1)], start=1
    ):
        units += _stage(f"{prefix}.{k}", _unit("", n_in, n_out, 3, 2), residuals)
    units += [_unit(f"{prefix}.6.0", 512, 512, 3, 1, 0), _unit(f"{prefix}.6.1", 512, 512, 1)]
    units += _sound("audio_encoder", 1)
    prefix = "face_decoder_blocks"
    units += [_unit(f"{prefix}.0.0", 512, 512, 1)]
    units += _stage(f"{prefix}.1", _unit("", 1024, 512, 3, 1, 0, transposed=True), 1)
    for k, (n_in, n_out) in enumerate([(1024, 512), (768, 384), (512, 256), (320, 128), (160, 64)], start=2):
        units += _stage(f"{prefix}.{k}", _unit("", n_in, n_out, 3, 2, 1, transposed=True), 2)
    return [*units, _unit("output_block.0", 80, 32, 3)]


def _expert() -> list[Unit]:
    units = [_unit("", 15, 32, 7), *_stage("", _unit("", 32, 64, 5, (1, 2), 1), 2)]
    units += _stage("", _unit("", 64, 128, 3, 2), 3)
    units += _stage("", _unit("", 128, 256, 3, 2), 2)
    units += _stage("", _unit("", 256, 512, 3, 2), 2)
    units += [_unit("", 512, 512, 3, 2), _unit("", 512, 512, 3, 1, 0), _unit("", 512, 512, 1)]
    return [*(replace(u, name=f"face_encoder.{k}") for k, u in enumerate(units)), *_sound("audio_encoder", 2)]


def _quality() -> list[Unit]:
    prefix = "face_encoder_blocks"
    units = [_unit(f"{prefix}.0.0", 3, 32, 7, norm=False)]
    rows: list[tuple[int, int, int, int | Pair]] = [(32, 64, 5, (1, 2)), (64, 128, 5, 2), (128, 256, 5, 2)]
    rows += [(256, 512, 3, 2), (512, 512, 3, 2)]
    for k, (n_in, n_out, kernel, stride) in enumerate(rows, start=1):
        units.append(_unit(f"{prefix}.{k}.0", n_in, n_out, kernel, stride, norm=False))
        units.append(_unit(f"{prefix}.{k}.1", n_out, n_out, kernel, norm=False))
    units.append(_unit(f"{prefix}.6.0", 512, 512, 3, 1, 0, norm=False))
    return [*units, _unit(f"{prefix}.6.1", 512, 512, 1, norm=False)]


_NETWORKS = {"generator": _generator, "expert": _expert, "quality": _quality}
_PLAIN = {"generator": ("output_block.1", 3, 32), "quality": ("binary_pred.0", 1, 512)}
"""1x1 convolutions without norm or activation at the end: name, outputs, inputs."""
_PICTURES = frozenset({1, 3, 6, 15})
"""Inputs that are channels of sound or pictures, never divided."""


@cache
def units(network: str, divide: int = 1) -> tuple[Unit, ...]:
    """The units of 'generator', 'expert' or 'quality' in the order of their checkpoint.

    `divide` makes every hidden layer 2, 4 or 8 times narrower; ConfigError for another value or name.
    """
    if network not in _NETWORKS:
        raise ConfigError(f"unknown network '{network}'; available: {', '.join(_NETWORKS)}")
    if divide not in WIDTHS:
        raise ConfigError(f"channels cannot be divided by {divide}; choose from {', '.join(map(str, WIDTHS))}")
    return tuple(
        replace(u, n_in=u.n_in if u.n_in in _PICTURES else u.n_in // divide, n_out=u.n_out // divide)
        for u in _NETWORKS[network]()
    )


def shapes(network: str, divide: int = 1) -> dict[str, tuple[int, ...]]:
    """Shape of each tensor by name, in the order of the checkpoint: 352, 217 and 28 of them."""
    found: dict[str, tuple[int, ...]] = {}
    for unit in units(network, divide):
        found |= unit.shapes()
    if network in _PLAIN:
        name, n_out, n_in = _PLAIN[network]
        found |= {f"{name}.weight": (n_out, n_in // divide, 1, 1), f"{name}.bias": (n_out,)}
    return found
