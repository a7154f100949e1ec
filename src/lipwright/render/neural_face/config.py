"""One configuration for the neural face renderer: the paper's numbers, and presets of sizes and widths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lipwright.core.config import with_changes
from lipwright.core.errors import ConfigError

NONE, AUTO = "none", "auto"
GENERATORS = ("unet", "global")
NORMS = ("batch", "group")
GANS = ("vanilla", "lsgan")
JUDGES = ("patchgan", "multiscale")
PERCEPTUAL = ("auto", "vgg19", "none")
_CHOICES = {"generator": GENERATORS, "norm": NORMS, "gan": GANS, "judge": JUDGES, "perceptual": PERCEPTUAL}
_LEAST = {"ngf": 1, "n_downs": 1, "n_blocks": 0, "ndf": 1, "n_scales": 1, "batch": 1, "window": 1, "residual": 0}
ARCHITECTURE = ("size", "generator", "ngf", "n_downs", "n_blocks", "norm", "window", "labels", "surround", "base")
"""Fields that shape the network."""
LABELS, SURROUND = 3, 4
"""Channels of the labels (mouth's inside, across and up on the head), and of the surroundings (RGB, region)."""


@dataclass(frozen=True)
class NeuralFaceConfig:
    """Network, inputs, losses and optimiser of the neural face renderer (Meta Talk, AudioDVP)."""

    size: int = 512
    """Side of the high-definition square in pixels."""
    room: float = 1.25
    """Side of the square over the lower face's extent. The papers' 1.6 shows more that is never drawn."""
    fade: float = 0.0
    """Of the side: over which drawings fade to black at the face's rim. A sharp rim comes through the network as a line
    around the chin. 0: as the papers."""
    generator: str = "unet"
    """'unet' (AudioDVP's, with refining convolutions) or 'global' (pix2pixHD's)."""
    ngf: int = 32
    """Channels of the generator's first level."""
    n_downs: int = 9
    """Halvings: 8 at 256 px, 9 from 512 px on; 4 of 'global'."""
    n_blocks: int = 9
    """Residual blocks ('global')."""
    norm: str = "group"
    """Of the U-Net and 'patchgan': 'batch' as published (wants batches of 16), or 'group'."""
    window: int = 7
    """Neighbouring drawings it sees, the middle one of the frame itself."""
    labels: bool = True
    """Also show where the mouth's interior is and where every pixel lies on the head: teeth are in no drawing."""
    surround: bool = True
    """Also show the template around the region that is drawn: light, neck and collar go on across the seam."""
    base: bool = False
    """Pictures begin as the drawing on the person's mean picture, and the network learns what differs (ours, not the
    papers'). Measured: it stayed there; without a base 240 steps came further (docs/meta-talk.md)."""
    start: str = NONE
    """Where both sides begin: 'none' at random, 'auto' with the bundled weights of rendered people where they fit, or a
    file of `python -m lipwright.pretrain`, a renderer's or a persona."""
    judge: str = "multiscale"
    """Discriminator: 'patchgan' (pix2pix's, one scale) or 'multiscale' (pix2pixHD's)."""
    gan: str = "lsgan"
    """Adversarial loss: 'vanilla' (cross entropy, AudioDVP) or 'lsgan'."""
    ndf: int = 32
    """Channels of the discriminators' first layer."""
    n_scales: int = 2
    """Scales of 'multiscale'."""
    mouth_discriminator: bool = True
    """A second discriminator that sees the mouth box alone."""
    gan_weight: float = 1.0
    """Weight of the adversarial term."""
    feature_weight: float = 10.0
    """Weight of discriminator feature matching."""
    pixel_weight: float = 10.0
    """Weight of L1."""
    laplacian_weight: float = 10.0
    """Weight of the multi-scale Laplacian L1."""
    perceptual: str = "auto"
    """VGG19 term: 'auto' (on a GPU, when `lipwright models add vgg19` brought the weights), 'vgg19' or 'none'."""
    perceptual_weight: float = 10.0
    """Weight of the VGG19 term."""
    mouth_weight: float = 4.0
    """Factor of L1 and Laplacian terms inside the mouth box."""
    outside_weight: float = 0.1
    """Of both terms where nothing of the drawing is shown and the template is (`surround`): a network that never learns
    what goes on there invents it, and its invention reaches over the rim (a red crescent below a closed jaw)."""
    batch: int = 1
    """Samples per step in each process."""
    learning_rate: float = 2e-4
    """Adam (0.5, 0.999): constant for half of the budget, then linear to a hundredth."""
    decay: bool = True
    """False keeps the rate to the end (AudioDVP)."""
    gan_start: float = 0.05
    """Fraction of the budget trained without discriminators."""
    gan_full: float = 0.15
    """Fraction of the budget at which the adversarial terms reach their full weight."""
    shift: float = 0.03
    """Greatest whole-pixel shift of a training sample, of the square's side."""
    swap: float = 0.25
    """Share of samples whose surroundings come from another frame of nearly the same pose."""
    photometric: float = 0.04
    """Range of the brightness and contrast jitter shared by surroundings and target."""
    ema: float = 0.998
    """Decay per step of the averaged generator, the one that is validated and kept; shorter at the start."""
    bf16: bool = True
    """Run networks in bfloat16 where the device has it."""
    residual: int = 192
    """Training frames whose error is learnt in closed form when training is over (`render.residual`); 0: none."""

    def __post_init__(self) -> None:
        for field, known in _CHOICES.items():
            if getattr(self, field) not in known:
                raise ConfigError(f"unknown {field} '{getattr(self, field)}'; available: {', '.join(known)}")
        for field, least in _LEAST.items():
            if getattr(self, field) < least:
                raise ConfigError(f"{field} {getattr(self, field)} is too small; use at least {least}")
        if self.window % 2 == 0:
            raise ConfigError(f"window {self.window} has no middle frame; use an odd number")
        if self.generator == "unet" and self.n_downs < 5:
            raise ConfigError(f"n_downs {self.n_downs} is too small for the U-Net; use at least 5")
        if self.size < 32 or self.size % 2**self.n_downs:
            raise ConfigError(
                f"size {self.size} cannot be halved {self.n_downs} times; use a multiple of {2**self.n_downs}, or "
                "fewer n_downs"
            )
        if not 0 <= self.fade <= 0.2:
            raise ConfigError(f"fade {self.fade:g} leaves nothing of a drawing or is negative; use 0 to 0.2")
        if self.room < 1:
            raise ConfigError(f"room {self.room:g} cuts the lower face off; use at least 1")

    @property
    def reach(self) -> int:
        """Frames before and after that are seen."""
        return self.window // 2

    @property
    def input_channels(self) -> int:
        """Drawings, labels, surroundings, in this order."""
        return 3 * self.window + LABELS * self.labels + SURROUND * self.surround

    @property
    def condition_channels(self) -> int:
        """What a discriminator sees beside the picture: the drawings (21)."""
        return 3 * self.window

    @property
    def adversarial(self) -> bool:
        """Whether discriminators take part at all."""
        return self.gan_weight > 0 or self.feature_weight > 0


AUDIODVP = NeuralFaceConfig(
    size=256,
    room=1.6,
    ngf=64,
    n_downs=8,
    norm="batch",
    labels=False,
    surround=False,
    judge="patchgan",
    gan="vanilla",
    ndf=64,
    mouth_discriminator=False,
    feature_weight=0.0,
    pixel_weight=100.0,
    laplacian_weight=0.0,
    perceptual="none",
    mouth_weight=1.0,
    outside_weight=0.0,
    batch=16,
    decay=False,
    gan_start=0.0,
    gan_full=0.0,
    shift=0.0,
    swap=0.0,
    photometric=0.0,
    ema=0.0,
    bf16=False,
    residual=0,
)
"""AudioDVP as published: 21 channels, 100 L1 and a vanilla PatchGAN, batches of 16, no decay. Ours around it: square
and sewing."""

_FADE = 0.04
# `draft` departs in named ways for CPU cores: eight halvings at 256 px, a greater rate, discriminators late and light.
PRESETS: dict[str, NeuralFaceConfig] = {
    "draft": NeuralFaceConfig(
        size=256,
        fade=_FADE,
        ngf=16,
        n_downs=7,
        ndf=16,
        n_scales=1,
        batch=2,
        learning_rate=6e-4,
        start=AUTO,
    ),
    "standard": NeuralFaceConfig(size=512, fade=_FADE, ngf=32, n_downs=9, ndf=32),
    "broadcast": NeuralFaceConfig(size=1024, fade=_FADE, ngf=64, n_downs=9, ndf=64, n_scales=3),
}


def preset(name: str) -> NeuralFaceConfig:
    """The preset `name`; ConfigError lists what there is."""
    if name not in PRESETS:
        raise ConfigError(f"unknown preset '{name}'; available: {', '.join(sorted(PRESETS))}")
    return PRESETS[name]


def changed_preset(name: str, settings: Mapping[str, str]) -> NeuralFaceConfig:
    """The preset with some fields set from text; ConfigError for what is no setting."""
    return with_changes(preset(name), settings)
