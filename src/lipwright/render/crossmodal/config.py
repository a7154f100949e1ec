"""One configuration for the cross-modal renderer and its oracle: the paper's numbers, presets, ablations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lipwright.core.config import with_changes
from lipwright.core.errors import ConfigError

SIZES = (256, 512, 768)
BACKBONES = ("ours", "mobilenetv2", "hard-swish", "depthwise")
AUGMENTATIONS = ("none", "classical", "ours")
ORACLES = ("best", "chain", "single", "memory")
PERCEPTUAL = ("auto", "vgg19", "none")
_CHOICES = {"backbone": BACKBONES, "augmentation": AUGMENTATIONS, "oracle": ORACLES, "perceptual": PERCEPTUAL}
_LEAST = {
    "window": 1,
    "speech_dim": 1,
    "lips": 0,
    "expressions": 0,
    "heard_bases": 0,
    "prototypes": 0,
    "width": 1,
    "ndf": 1,
    "n_scales": 1,
    "batch": 1,
}


@dataclass(frozen=True)
class CrossModalConfig:
    """Network, training data, losses and optimiser of the cross-modal renderer (paper D)."""

    size: int = 512
    """Side of the head crop, and of the mouth picture, in pixels: 256, 512 or 768."""
    speech: str = "visemes"
    """Name of the speech feature that moves the mouth."""
    speech_dim: int = 34
    """Its channels in a video frame, without expressions."""
    window: int = 6
    """Video frames of it the network hears for one picture: t-3 to t+2."""
    lips: int = 0
    """Components of the lips' shape in every row, as a landmark model says them from the same speech (ours, see
    `motion.spoken_lips`): they tell apart what visemes alone would blur. 0 for none, as published."""
    expressions: int = 0
    """Slow numbers (a smile) appended to every row of the window."""
    width: int = 8
    """Channels at full size; the paper's table has 8."""
    residual: bool = True
    """Residual blocks between the strided convolutions of the keypoint encoder: in the paper's text, not its table."""
    mean_base: bool = True
    """Pictures begin as the person's mean head and mouth, and the network learns what changes (ours, not the paper's):
    a short training need not learn skin, hair and studio first."""
    heard_bases: int = 12
    """Pictures that a linear regression from speech adds to these, so that listening need not be learnt from nothing
    (ours): 2,532 weights and 0.33 % of the operations more at 34 visemes and a smile. They need
    `mean_base`; 0 for none."""
    prototypes: int = 96
    """Mouths of the footage that speech chooses among, added to these pictures (ours, see `render.crossmodal.
    prototypes`); they need `heard_bases`; 0 for none."""
    decoders: int = 2
    """2: a mouth decoder whose features are pasted into the head's; 1: one decoder for the whole head (Fig. 10)."""
    backbone: str = "ours"
    """What the convolutions are: 'ours', 'mobilenetv2', 'hard-swish' or 'depthwise'."""
    augmentation: str = "ours"
    """Beyond real frames (Fig. 8): 'none', 'classical' (affine and light) or 'ours' (mashed keypoints, and those)."""
    synthetic: float = 0.8
    """Share of training samples whose mouth and head come from different frames, with 'ours'."""
    oracle: str = "chain"
    """Who draws them: 'chain' (mouth network, then outpainting head network), 'single' (one network for the head),
    'memory' (the retrieval renderer) or 'best': a chain, or the memory where that draws held-out mouths better."""
    oracle_share: float = 0.55
    """Of the whole training budget, for the oracle."""
    ndf: int = 64
    """Channels of the first layer of both discriminators."""
    n_scales: int = 2
    """Scales of the head's discriminator."""
    gan_weight: float = 1.0
    """Weight of the LSGAN terms."""
    feature_weight: float = 10.0
    """Weight of discriminator feature matching."""
    pixel_weight: float = 10.0
    """Weight of smooth L1 (beta 0.1)."""
    perceptual: str = "auto"
    """VGG19 term: 'auto' (on a GPU, when `lipwright models add vgg19` brought the weights), 'vgg19' (always; an error
    without the weights) or 'none'."""
    perceptual_weight: float = 10.0
    """Weight of the VGG19 term, or of the Laplacian pyramid that stands in for it."""
    mouth_weight: float = 1.0
    """Weight of the mouth picture's losses; the head's have 1."""
    lip_weight: float = 4.0
    """Factor of pixels around the mouth in the reconstruction of both pictures: the rest is skin that hardly moves, and
    of a head a twentieth is mouth."""
    batch: int = 1
    """Samples per step in each process."""
    learning_rate: float = 2e-4
    """Adam (0.5, 0.999): constant for half of the budget, then linear to zero."""
    gan_start: float = 0.05
    """Fraction of the budget trained without discriminators."""
    gan_full: float = 0.15
    """Fraction of the budget at which the adversarial terms reach their full weight."""
    jitter_px: float = 0.5
    """Standard deviation of stroke jitter in training, pixels of a 256 px crop."""
    shift: float = 0.0
    """Greatest shift of a training sample, of the crop's size, with 'classical' and 'ours'. Crops keep every mouth in
    its place, and a base that is shifted under the pictures it should explain is worth little."""
    photometric: float = 0.04
    """Range of brightness and contrast jitter with 'classical' and 'ours'."""
    ema: float = 0.998
    """Decay per step of the averaged network, the one that is validated and kept; shorter at the start."""
    bf16: bool = True
    """Run networks in bfloat16 where the device has it."""

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise ConfigError(f"size {self.size} is not one of {', '.join(map(str, SIZES))}; choose one of them")
        if self.decoders not in (1, 2):
            raise ConfigError(f"decoders {self.decoders} is neither 1 nor 2; choose one of them")
        for field, known in _CHOICES.items():
            if getattr(self, field) not in known:
                raise ConfigError(f"unknown {field} '{getattr(self, field)}'; available: {', '.join(known)}")
        for field, least in _LEAST.items():
            if getattr(self, field) < least:
                raise ConfigError(f"{field} {getattr(self, field)} is too small; use at least {least}")
        for field in ("synthetic", "oracle_share"):
            if not 0 <= getattr(self, field) <= 1:
                raise ConfigError(f"{field} {getattr(self, field)} is no share; use 0 to 1")

    @property
    def k(self) -> int:
        """Numbers in a row of the speech window: the feature's, the lips' and the expressions."""
        return self.speech_dim + self.lips + self.expressions

    @property
    def bases(self) -> int:
        """Pictures that speech adds to the mean ones."""
        return self.heard_bases if self.mean_base else 0

    @property
    def adversarial(self) -> bool:
        """Whether discriminators take part at all."""
        return self.gan_weight > 0 or self.feature_weight > 0


PRESETS: dict[str, CrossModalConfig] = {
    "draft": CrossModalConfig(
        size=256,
        oracle="best",
        lips=8,
        expressions=1,
        prototypes=160,
        ndf=16,
        batch=2,
        learning_rate=1e-3,
        gan_weight=0.1,
        feature_weight=4.0,
        gan_start=0.5,
        gan_full=0.8,
    ),
    "standard": CrossModalConfig(size=512, oracle="best", lips=8, expressions=1, ndf=32),
    "broadcast": CrossModalConfig(size=768, oracle="best", lips=8, expressions=1, ndf=64),
}


def preset(name: str) -> CrossModalConfig:
    """The preset `name`; ConfigError lists what there is."""
    if name not in PRESETS:
        raise ConfigError(f"unknown preset '{name}'; available: {', '.join(sorted(PRESETS))}")
    return PRESETS[name]


def changed_preset(name: str, settings: Mapping[str, str]) -> CrossModalConfig:
    """The preset with some fields set from text; ConfigError for what is no setting."""
    return with_changes(preset(name), settings)
