"""One configuration for the translation renderer, and its presets: sizes and widths, never the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lipwright.core.config import with_changes
from lipwright.core.errors import ConfigError

MODES = ("full-face", "sewn")
GENERATORS = ("global", "local")
PERCEPTUAL = ("auto", "vgg19", "none")
ARCHITECTURE = ("mode", "generator", "ngf", "n_downs", "n_blocks", "n_local_blocks", "skips", "even", "attention")
"""Fields that two renderers must share for one to start from the other's weights."""
_LEAST = {
    "ngf": 1,
    "n_downs": 1,
    "n_blocks": 0,
    "n_local_blocks": 0,
    "ndf": 1,
    "n_scales": 1,
    "batch": 1,
    "residual": 0,
}
"""Whole numbers that a network or a step cannot be made of when they are smaller."""
MAP_CHANNELS = 3
"""Lines, edges, hull."""
TEMPLATE_CHANNELS = 3
"""The template's colours around the hull ('sewn')."""
TEMPORAL_CHANNELS = 5
"""Lines of the frame before, lines of the frame after, colours of the output before."""


@dataclass(frozen=True)
class TranslationConfig:
    """Generator, discriminators, losses and optimiser of the translation renderer."""

    mode: str = "sewn"
    """'full-face': the whole head crop from the facial map alone (papers A and B); 'sewn': the lower face,
    with the template's pixels outside the mouth-and-jaw hull as further input."""
    size: int = 256
    """Side of the aligned square crop in pixels."""
    generator: str = "global"
    """'global' (GlobalGenerator) or 'local' (LocalEnhancer around a global generator at half size)."""
    ngf: int = 16
    """Channels of the generator at full size ('local': of the enhancer; its global part has twice)."""
    n_downs: int = 4
    """Halvings of the (global) generator."""
    n_blocks: int = 9
    """Residual blocks of the (global) generator."""
    n_local_blocks: int = 3
    """Residual blocks of the enhancer."""
    skips: bool = False
    """Add encoder features to decoder features of the same size (not in pix2pixHD; no extra parameters)."""
    even: bool = False
    """Even transposed convolutions ('global' only): no chequered pattern after few steps; same weights."""
    edges: bool = True
    """Show the template's edges outside the hull; False leaves that channel 0, so weights keep their shape."""
    temporal_inputs: bool = False
    """Also see the lines of the frames before and after and the own output before; renders frame by frame."""
    temporal_discriminator: bool = False
    """A further PatchGAN that sees `stretch` consecutive frames at once."""
    stretch: int = 3
    """Consecutive frames of a training sample where either of the two is on."""
    attention: bool = True
    """Self-attention after the residual stack and after the first upsampling (paper B)."""
    ndf: int = 64
    """Channels of the first discriminator layer."""
    n_scales: int = 2
    """Scales of the image discriminator."""
    mouth_discriminator: bool = True
    """A second PatchGAN that sees the mouth box alone, at full size."""
    gan_weight: float = 1.0
    """Weight of the LSGAN term."""
    feature_weight: float = 10.0
    """Weight of discriminator feature matching."""
    pixel_weight: float = 10.0
    """Weight of the Charbonnier term."""
    laplacian_weight: float = 10.0
    """Weight of the multi-scale Laplacian L1, the stand-in that needs no weights."""
    perceptual: str = "auto"
    """VGG19 term: 'auto' (on a GPU, when `lipwright models add vgg19` brought the weights: on a CPU it costs more
    than everything else together), 'vgg19' (always; an error without the weights) or 'none'."""
    perceptual_weight: float = 10.0
    """Weight of the VGG19 term."""
    mouth_weight: float = 4.0
    """Factor of pixel and Laplacian terms inside the mouth box."""
    batch: int = 1
    """Crops per step in each process."""
    learning_rate: float = 2e-4
    """Adam (0.5, 0.999): constant for half of the budget, then linear to zero."""
    gan_start: float = 0.05
    """Fraction of the budget trained without discriminators."""
    gan_full: float = 0.15
    """Fraction of the budget at which the adversarial terms reach their full weight."""
    jitter_px: float = 0.8
    """Standard deviation of landmark jitter in training, pixels of a 256 px crop."""
    shift: float = 0.04
    """Greatest whole-pixel shift of a training sample, of the crop's size: a mouth that sits lower than any
    in the footage must still be drawn."""
    swap: float = 0.25
    """Share of samples whose template conditions come from another frame of similar pose ('sewn')."""
    photometric: float = 0.04
    """Range of the brightness and contrast jitter shared by template and target."""
    ema: float = 0.998
    """Decay per step of the averaged generator, the one that is validated and kept; shorter at the start."""
    coarse_share: float = 0.4
    """'local': share of the budget in which the global part alone is trained, at half size."""
    fixed_share: float = 0.2
    """'local': share of the budget after that in which the enhancer is trained and the global part is fixed."""
    bf16: bool = False
    """Run networks in bfloat16 where the device has it."""
    residual: int = 192
    """Training frames whose error is learnt in closed form when training is over (`render.residual`); 0: none."""
    checkpoint_from: int = 1024
    """Crops of this side or larger are trained with gradient checkpointing: less memory, a third more time."""
    compile: bool = False
    """Compile the networks with torch.compile; needs a C++ compiler and minutes to begin with."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigError(f"unknown mode '{self.mode}'; available: {', '.join(MODES)}")
        for field, known in (("generator", GENERATORS), ("perceptual", PERCEPTUAL)):
            if getattr(self, field) not in known:
                raise ConfigError(f"unknown {field} '{getattr(self, field)}'; available: {', '.join(known)}")
        if self.coarse_share + self.fixed_share > 1:
            raise ConfigError(
                f"coarse_share {self.coarse_share} and fixed_share {self.fixed_share} exceed the budget; "
                "together they are at most 1"
            )
        for field, least in _LEAST.items():
            if getattr(self, field) < least:
                raise ConfigError(f"{field} {getattr(self, field)} is too small; use at least {least}")
        if self.size < 32:
            raise ConfigError(f"size {self.size} is too small for four halvings; use at least 32")
        if self.stretch < 2:
            raise ConfigError(f"stretch {self.stretch} has no neighbouring frames; use at least 2")

    @property
    def input_channels(self) -> int:
        """Map channels, the template's colours in 'sewn', and what `temporal_inputs` adds, in this order."""
        template = TEMPLATE_CHANNELS if self.mode == "sewn" else 0
        return MAP_CHANNELS + template + (TEMPORAL_CHANNELS if self.temporal_inputs else 0)

    @property
    def sample_frames(self) -> int:
        """Consecutive frames of a training sample."""
        return self.stretch if self.temporal_inputs or self.temporal_discriminator else 1

    @property
    def recompute(self) -> bool:
        """Whether training uses gradient checkpointing."""
        return self.size >= self.checkpoint_from

    @property
    def adversarial(self) -> bool:
        """Whether discriminators take part at all."""
        return self.gan_weight > 0 or self.feature_weight > 0


# `draft` departs from pix2pixHD in four named ways, for two CPU cores: skips (a coarse bottleneck then need
# not carry where the lines are), even transposed convolutions (few steps do not unlearn the chequers), three
# residual blocks instead of nine, batch 2 with three times the rate.
PRESETS: dict[str, TranslationConfig] = {
    "draft": TranslationConfig(
        size=256, ngf=16, n_blocks=3, skips=True, even=True, ndf=16, batch=2, learning_rate=6e-4, bf16=True
    ),
    "standard": TranslationConfig(size=512, ngf=32, ndf=32, bf16=True),
    "broadcast": TranslationConfig(size=720, ngf=64, ndf=64, n_scales=3, bf16=True),
}


# Without the template's pixels a small generator loses against the mouth discriminator (its loss fell to 0.08
# and the picture filled with grid noise), so `full-face` at `draft` leans on reconstruction.
_FULL_FACE_DRAFT: dict[str, Any] = {"gan_weight": 0.3, "mouth_discriminator": False}


def preset(name: str, mode: str = "sewn") -> TranslationConfig:
    """The preset `name` in `mode`; ConfigError lists what there is."""
    if name not in PRESETS:
        raise ConfigError(f"unknown preset '{name}'; available: {', '.join(sorted(PRESETS))}")
    chosen = replace(PRESETS[name], mode=mode)
    return replace(chosen, **_FULL_FACE_DRAFT) if (name, mode) == ("draft", "full-face") else chosen


def changed_preset(name: str, mode: str, settings: Mapping[str, str]) -> TranslationConfig:
    """The preset with some fields set from text; ConfigError for what is no setting, and for another mode."""
    config = with_changes(preset(name, mode), settings)
    if config.mode != mode:
        raise ConfigError(f"mode cannot be set to {config.mode} beside mode {mode}; use --mode {config.mode}")
    return config
