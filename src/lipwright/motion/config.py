"""Everything that decides what a motion model is and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass, field

from lipwright.core.errors import ConfigError
from lipwright.motion.cascade import CascadeConfig
from lipwright.speech.features import SPEECH_FEATURES


@dataclass(frozen=True)
class AugmentConfig:
    """Changes of the speech features during training, so that another voice or microphone still works."""

    noise: float = 0.0
    """Deviation of Gaussian noise on standardised features."""
    gain: float = 0.0
    """Deviation of a level shift common to all filterbank channels, in standard deviations."""
    equaliser: float = 0.0
    """Deviation of a smooth curve over the filterbank channels, in standard deviations."""
    warp: float = 0.0
    """Largest relative stretch of the channel axis: another vocal tract length."""
    channel_mask: int = 0
    """Widest band of filterbank channels set to their mean."""
    time_mask: int = 0
    """Longest stretch of frames whose speech is set to the mean."""
    speed: float = 0.0
    """Largest relative change of speed; landmarks, pose and cheeks go with the speech."""
    room_s: float = 0.0
    """Longest reverberation (to -60 dB) that filterbank channels are given."""


@dataclass(frozen=True)
class MotionConfig:
    """A motion model and its training; the defaults are paper B's cascade."""

    network: str = "cascade"
    """Which networks, by their name in `networks.NETWORKS`."""
    features: tuple[str, ...] = ("logfbank",)
    """Names of speech features."""
    separate: bool = False
    """False: the networks see pose and cheeks (the paper). True: landmarks = where the head puts the mouth
    (linear in pose and cheeks, blind to what speech moves) + shape from speech alone."""
    condition_smoothing_s: float = 0.0
    """Deviation of a zero-phase low-pass over the cheeks, in seconds."""
    pose_smoothing_s: float = 0.0
    """The same over head pose."""
    leak_penalty: float = 0.0
    """`separate`: how strongly directions of the conditions that follow speech are shunned."""
    pose_in_g1: bool = True
    """Ablation: whether G1 sees pose."""
    pose_in_g2: bool = True
    """Ablation: whether G2 sees pose."""
    cheeks: bool = True
    """Ablation: whether cheeks are given."""
    width: int = 128
    """Channels of the TCNs; units of a recurrent network."""
    dropout: float = 0.2
    """Dropout inside the TCNs."""
    causal: bool = False
    """Every convolution looks back only."""
    lookahead: int = 0
    """Causal networks: frames of the future they hear."""
    adversarial: float = 0.0
    """Networks of the mouth alone: weight of a discriminator of mouth and speech (system A); 0: none."""
    shifted: float = 0.5
    """Share of the discriminator's negatives that are real mouths over speech of half a second or more away."""
    alone: float = 1 / 12
    """Share of the budget before the discriminator joins: 5 of 60 epochs."""
    clip_frames: int = 64
    """Frames of a training clip."""
    context_frames: int = 0
    """Real frames around a clip that the networks see but the loss does not count; 0: zeros (paper)."""
    stride: int = 16
    """Frames between clips; their offset is drawn anew each epoch."""
    batch: int = 64
    """Clips per step."""
    learning_rate: float = 1e-3
    """Adam's first rate; a cosine takes it to 1e-5 at the end of the budget."""
    weight_decay: float = 0.0
    """Decoupled weight decay."""
    ema: float = 0.0
    """Decay of the running mean of the weights that validation and the persona use; 0: the weights."""
    kernel_share: float = 0.0
    """`separate`: share of the closed-form kernel regression in the shape; the networks have the rest."""
    amplitude: float = 0.0
    """`separate`: lip opening wanted, as a share of the real; regression shrinks what it cannot know, and
    one factor measured on frames held out inside the training set restores it along the person's opening
    direction. 0 leaves it as it is."""
    quick: float = 0.0
    """`separate`: inter-frame energy of the mouth wanted, as a share of the real (`motion.quick`); 0 leaves it as it
    is."""
    lips: bool = False
    """Whether phones close the lips on /p b m/ (and nearly on /f v/) and bring the mouth to rest in silence, after the
    networks have spoken."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    """Changes of the features during training."""

    @property
    def heard(self) -> tuple[str, ...]:
        """All speech features that the model reads: those of the networks, and those that lips and rest need."""
        more = ("phones", "pauses") if self.rests else ()
        return self.features + tuple(name for name in more if name not in self.features)

    @property
    def rests(self) -> bool:
        """Whether the mouth rests in silence: a model that hears phones knows when to."""
        return self.lips or (self.separate and "phones" in self.features)

    def cascade(self) -> CascadeConfig:
        """The networks' shape."""
        if self.lookahead and not self.causal:
            raise ConfigError(
                f"a look-ahead of {self.lookahead} frames needs causal=True; the others hear all they can"
            )
        kinds = [SPEECH_FEATURES.get(name) for name in self.features]
        if not kinds or any(k.rate not in (1, 4) for k in kinds):
            raise ConfigError(
                f"a cascade needs features of 1 or 4 rows a frame, got {', '.join(self.features) or 'none'}"
            )
        return CascadeConfig(
            slow_features=tuple((k.name, k.dim) for k in kinds if k.rate == 1),
            fast_features=tuple((k.name, k.dim) for k in kinds if k.rate == 4),
            pose_in_g1=self.pose_in_g1 and not self.separate,
            pose_in_g2=self.pose_in_g2 and not self.separate,
            cheeks=self.cheeks and not self.separate,
            width=self.width,
            causal=self.causal,
            lookahead=self.lookahead,
            dropout=self.dropout,
        )


PAPER = MotionConfig()
"""Recipe `pose-adaptive`: system B as published."""

INSTANT = MotionConfig(
    features=("cepstra", "phones", "logmel"),
    separate=True,
    condition_smoothing_s=0.3,
    leak_penalty=1.0,
    width=64,
    batch=16,
    kernel_share=0.7,
    amplitude=1.0,
    quick=0.9,
    lips=True,
    augment=AugmentConfig(noise=0.3, time_mask=3, gain=0.4, equaliser=0.3, warp=0.1, channel_mask=8),
)
"""Recipe `instant`: what any voice says (cepstra, phones) and what the own voice tells beyond it (log mel rows, changed
in training as another voice or microphone would); shape from speech alone. A minute of one core is enough."""
