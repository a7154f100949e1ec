"""System A's discriminator: does this mouth belong to this speech?

"Similar" to the generator, it hears 256x26 rows, sees 64x13 mouth components and gives one label (poster; sizes in
SPEC 3). Half of what it learns to refuse are generated mouths, half real ones over other speech, so that it judges
synchrony and not smoothness alone. Losses are least squares (Mao et al. 2017).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lipwright.motion.cascade import CascadeConfig, listening
from lipwright.motion.losses import lsgan
from lipwright.motion.pca import COMPONENTS
from lipwright.motion.tcn import Tcn

_RATE, _BETAS = 1e-4, (0.5, 0.9)


class Discriminator(nn.Module):
    """Speech and mouth to one number per item: near 1 for what belongs together."""

    def __init__(self, config: CascadeConfig) -> None:
        super().__init__()
        half, width = config.width // 2, config.width
        self.heard = listening(sum(n for _, n in config.fast_features), half)
        self.seen = nn.Sequential(nn.Conv1d(COMPONENTS, half, 3, padding=1), nn.ReLU())
        self.tcn = Tcn(2 * half, width, config.dilations, config.kernel, dropout=config.dropout)
        self.tail = nn.Sequential(nn.Conv1d(width, half, 3, padding=1), nn.ReLU(), nn.Conv1d(half, 1, 1))

    def forward(self, speech: Tensor, mouth: Tensor) -> Tensor:
        """(B, 4T, D) rows and (B, T, 13) standardised components to (B,)."""
        x = torch.cat([self.heard(speech.transpose(1, 2)), self.seen(mouth.transpose(1, 2))], dim=1)
        out: Tensor = self.tail(self.tcn(x))
        return out.mean(dim=(1, 2))


class Judge:
    """A discriminator in training."""

    def __init__(self, config: CascadeConfig, shifted: float, device: torch.device) -> None:
        self.network = Discriminator(config).to(device)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=_RATE, betas=_BETAS)
        self._shifted, self._names = shifted, [name for name, _ in config.fast_features]

    def verdict(self, speech: Mapping[str, Tensor], mouth: Tensor) -> Tensor:
        """What the generator is told: the least-squares distance of its mouths from real ones."""
        return lsgan(self.network(self._rows(speech), mouth), 1.0)

    def learn(self, speech: Mapping[str, Tensor], other: Mapping[str, Tensor], real: Tensor, made: Tensor) -> Tensor:
        """One step on real mouths with their speech, against made ones and real ones over `other` speech."""
        rows = self._rows(speech)
        wrong = (1 - self._shifted) * lsgan(self.network(rows, made.detach()), 0.0)
        if self._shifted > 0:
            wrong = wrong + self._shifted * lsgan(self.network(self._rows(other), real), 0.0)
        loss = 0.5 * (lsgan(self.network(rows, real), 1.0) + wrong)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def _rows(self, speech: Mapping[str, Tensor]) -> Tensor:
        return torch.cat([speech[name] for name in self._names], dim=-1)
