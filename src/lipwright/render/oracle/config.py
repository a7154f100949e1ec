"""One configuration for the oracle, and its presets: sizes and widths, never the method."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lipwright.core.errors import ConfigError
from lipwright.render.translation.config import TranslationConfig

KINDS = ("chain", "single", "memory")


@dataclass(frozen=True)
class OracleConfig:
    """Two pix2pixHD-style networks, one after the other."""

    mouth: TranslationConfig
    """The mouth network. Its `size` is the largest side of a mouth picture: smaller where the footage shows less."""
    head: TranslationConfig
    """The head network; its `size` is the side of the head crop."""
    kind: str = "chain"
    """'chain': mouth, then a head outpainted around it; 'single': one network draws all (ablation, Fig. 3);
    'memory': remembered mouths in real heads (ablation), nothing is trained."""
    mouth_share: float = 0.6
    """Of the oracle's budget, for the mouth network ('chain')."""
    generated_mouths: float = 0.5
    """Share of the head network's samples that lie around a generated mouth instead of the real one."""
    soft: float = 0.0
    """Deviation of the blur over what the networks see, of the picture's side: sharp lines come through them as halos
    along lips and chin. 0: sharp, as the papers' figures show them."""
    lip_weight: float = 3.0
    """Factor of pixel and Laplacian terms on lips and what is between them, in a mouth picture."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"unknown oracle '{self.kind}'; available: {', '.join(KINDS)}")
        for field in ("mouth_share", "generated_mouths"):
            if not 0 <= getattr(self, field) <= 1:
                raise ConfigError(f"{field} {getattr(self, field)} is no share; use 0 to 1")
        if not 0 <= self.soft <= 0.1:
            raise ConfigError(f"soft {self.soft:g} is negative or leaves nothing of a line; use 0 to 0.1")
        for name in ("mouth", "head"):
            if getattr(self, name).generator == "local" or getattr(self, name).temporal_inputs:
                raise ConfigError(f"the oracle's {name} network draws one frame at a time with a global generator")

    @property
    def size(self) -> int:
        """Side of the head crop in pixels."""
        return self.head.size


def _network(size: int, ngf: int, ndf: int, n_blocks: int = 9, draft: bool = False) -> TranslationConfig:
    """pix2pixHD's method with skips: where lines are need not pass a bottleneck.

    `draft` as in the translation room: small generators lose against a full-weight discriminator.
    """
    config = TranslationConfig(
        mode="full-face", size=size, ngf=ngf, ndf=ndf, n_blocks=n_blocks, skips=True, even=True, bf16=True,
        attention=False, mouth_discriminator=False,
    )  # fmt: skip
    return replace(config, n_downs=3, learning_rate=6e-4, gan_weight=0.3) if draft else config


_SOFT = 0.012
PRESETS: dict[str, OracleConfig] = {
    "draft": OracleConfig(
        mouth=_network(256, 20, 16, 3, draft=True), head=_network(256, 16, 16, 3, draft=True), soft=_SOFT
    ),
    "standard": OracleConfig(mouth=_network(512, 48, 32), head=_network(512, 32, 32), soft=_SOFT),
    "broadcast": OracleConfig(mouth=_network(768, 64, 64), head=_network(768, 64, 64), soft=_SOFT),
}


def oracle_preset(name: str, kind: str = "chain", size: int | None = None) -> OracleConfig:
    """The preset `name` of this kind; ConfigError lists what there is.

    Args: `size` of the head crop and largest mouth picture, where it is not the preset's.
    """
    if name not in PRESETS:
        raise ConfigError(f"unknown preset '{name}'; available: {', '.join(sorted(PRESETS))}")
    chosen = replace(PRESETS[name], kind=kind)
    if size is None:
        return chosen
    return replace(chosen, mouth=replace(chosen.mouth, size=size), head=replace(chosen.head, size=size))
