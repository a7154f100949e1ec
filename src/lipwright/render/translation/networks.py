"""pix2pixHD generators (Wang et al. 2018) with self-attention (paper B).

State-dict keys of everything but attention are those of published `*_net_G.pth` files; attention lives under
`attention.*`, so it neither renumbers them nor is needed by them.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from lipwright.render.translation.attention import SelfAttention
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.layers import ResidualBlock, down, halved, head, initialise, pad_to, run, stem, up


class GlobalGenerator(nn.Module):
    """Encoder, residual stack, decoder.

    Args:
        in_channels, out_channels: of the image-like input and output.
        ngf, n_downs, n_blocks: width at full size, halvings, residual blocks.
        attention: SelfAttention after the residual stack and after the first upsampling (keys pooled 2 x 2).
        skips: add each encoder level to the decoder level of its size.
        even: EvenTranspose2d in the decoder.
        with_head: False drops the final three layers (the trunk of LocalEnhancer).
        recompute: gradient checkpointing: keep only what lies between stages, make the rest again in the
            backward pass.
    Source: pix2pixHD, section 3.1 and its published layer order.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 3,
        ngf: int = 64,
        n_downs: int = 4,
        n_blocks: int = 9,
        attention: bool = False,
        skips: bool = False,
        with_head: bool = True,
        even: bool = False,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        widest = ngf * 2**n_downs
        stages = [stem(in_channels, ngf)]
        stages += [down(ngf * 2**level) for level in range(n_downs)]
        stages += [[ResidualBlock(widest)] for _ in range(n_blocks)]
        stages += [up(widest // 2**level, even) for level in range(n_downs)]
        stages += [head(ngf, out_channels)] if with_head else []
        self.model = nn.Sequential(*(layer for stage in stages for layer in stage))
        self.factor = 2**n_downs
        self.recompute = recompute
        self._lengths = [len(stage) for stage in stages]
        after_blocks = n_downs + n_blocks
        self._attention_after = {after_blocks: 0, after_blocks + 1: 1} if attention else {}
        if attention:
            self.attention = nn.ModuleList([SelfAttention(widest), SelfAttention(widest // 2, pool=2)])
        # Decoder stage to the encoder stage of its size.
        self._skip_into = {after_blocks + n_downs - level: level for level in range(n_downs)} if skips else {}

    def trunk(self, x: Tensor) -> Tensor:
        """All stages in order, for inputs whose sides `factor` divides."""
        kept: dict[int, Tensor] = {}
        wanted, start = set(self._skip_into.values()), 0
        for stage, length in enumerate(self._lengths):
            x = run(self.model[start : start + length], x, self.recompute)
            start += length
            if stage in wanted:
                kept[stage] = x
            if stage in self._skip_into:
                x = x + kept.pop(self._skip_into[stage])
            if stage in self._attention_after:
                x = self.attention[self._attention_after[stage]](x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) to (B, out, H, W) in [-1, 1], any H and W of at least `factor`."""
        padded = pad_to(x, self.factor)
        return self.trunk(padded)[..., : x.shape[-2], : x.shape[-1]]


class LocalEnhancer(nn.Module):
    """A global generator at half size inside a branch at full size (one enhancer).

    Args: as GlobalGenerator; `ngf` is the enhancer's width, the global part has 2 · ngf.
    Source: pix2pixHD, section 3.1 (coarse to fine).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 3,
        ngf: int = 32,
        n_downs: int = 3,
        n_blocks: int = 9,
        n_local_blocks: int = 3,
        attention: bool = False,
        skips: bool = False,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        whole = GlobalGenerator(
            in_channels, out_channels, 2 * ngf, n_downs, n_blocks, attention, skips, False, recompute=recompute
        )
        self.model = whole.model
        if attention:
            self.attention = whole.attention
        self._global = [whole]  # in a list: its weights are registered above, under the published names
        self.model1_1 = nn.Sequential(*stem(in_channels, ngf), *down(ngf))
        blocks = [ResidualBlock(2 * ngf) for _ in range(n_local_blocks)]
        self.model1_2 = nn.Sequential(*blocks, *up(2 * ngf), *head(ngf, out_channels))
        self.factor = 2 ** (n_downs + 1)
        self.recompute = recompute

    def coarse(self, x: Tensor) -> Tensor:
        """(B, in, H, W) to the global part's features (B, 2 · ngf, h, w), h and w of the halved, padded input."""
        return self._global[0].trunk(halved(pad_to(x, self.factor)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) to (B, out, H, W) in [-1, 1], any H and W of at least `factor`."""
        fine = run(self.model1_1, pad_to(x, self.factor), self.recompute) + self.coarse(x)
        for layers in (self.model1_2[:-6], self.model1_2[-6:-3], self.model1_2[-3:]):
            fine = run(layers, fine, self.recompute)
        return fine[..., : x.shape[-2], : x.shape[-1]]

    def global_parameters(self) -> Iterable[nn.Parameter]:
        """What is trained first at half size, then fixed for a while."""
        yield from self._global[0].parameters()


def build_generator(config: TranslationConfig, in_channels: int | None = None) -> GlobalGenerator | LocalEnhancer:
    """The generator a config describes, initialised from torch's current random state.

    Args: `in_channels` where it does not see a facial map (`config.input_channels`).
    """
    c, seen = config, config.input_channels if in_channels is None else in_channels
    generator: GlobalGenerator | LocalEnhancer
    if c.generator == "local":
        generator = LocalEnhancer(
            seen, 3, c.ngf, c.n_downs, c.n_blocks, c.n_local_blocks, c.attention, c.skips, c.recompute
        )
    else:
        generator = GlobalGenerator(
            seen, 3, c.ngf, c.n_downs, c.n_blocks, c.attention, c.skips, even=c.even, recompute=c.recompute
        )
    initialise(generator)
    return generator
