"""Training of Wav2Lip's expert and generator, one step at a time (Prajwal et al. 2020, and their repository).

First the expert learns whether five lower halves fit their sound: cross entropy of the cosine, half of the negatives'
frames from elsewhere in the clip. Then the generator redraws five masked faces beside five of another moment: mean
absolute error, and the frozen expert's loss with weight 0.03 once the validation's falls below 0.75.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import SubjectError
from lipwright.render.teacher.data import TalkingFace
from lipwright.render.teacher.networks import SIDE, WINDOW_FRAMES, SyncExpert, Wav2Lip

MODE = "aligned"
"""Mel windows of what is trained here: each frame hears the columns that begin a frame before it, in use as in
training (`speech.wav2lip_mel`)."""
_JUDGED = 48
"""Windows of the validation."""


@dataclass(frozen=True)
class TeacherConfig:
    """Networks and training."""

    divide: int = 4
    """How much narrower than published: 1, 2, 4 or 8. At 4 the generator has 2.3 M parameters."""
    batch: int = 8
    """Windows of five frames a step (published: 16 for the generator, 64 for the expert)."""
    learning_rate: float = 1e-4
    """Adam's, as published for both."""
    sync_weight: float = 0.03
    """Of the expert's loss once it counts."""
    sync_from: float = 0.75
    """Validation loss of the expert below which it does."""
    expert_share: float = 0.35
    """Part of a time budget that the expert gets."""


def cosine_loss(sound: Tensor, lips: Tensor, fits: Tensor) -> Tensor:
    """Binary cross entropy of the cosine of two (B, D) embeddings, which are not negative, with (B,) truth."""
    cosine = functional.cosine_similarity(sound, lips).clamp(1e-6, 1 - 1e-6)
    return functional.binary_cross_entropy(cosine, fits)


def halves(faces: Tensor) -> Tensor:
    """(B, 3, 5, 96, 96) to (B, 15, 48, 96): lower halves, frame after frame."""
    return faces[:, :, :, SIDE // 2 :].permute(0, 2, 1, 3, 4).flatten(1, 2)


class _Draws:
    """Windows drawn from clips by (seed, step) alone."""

    def __init__(self, clips: Sequence[TalkingFace], seed: int) -> None:
        if not clips:
            raise SubjectError("there are no talking faces to learn from; give subjects, or render more identities")
        self._clips, self._seed = clips, seed

    def __call__(self, step: int, count: int) -> list[tuple[TalkingFace, int, int]]:
        """`count` of (clip, first frame, first frame of another window that does not overlap)."""
        rng = np.random.default_rng([self._seed, 11, step])
        found = []
        for clip in (self._clips[k] for k in rng.integers(0, len(self._clips), count)):
            last = len(clip) - WINDOW_FRAMES
            start = int(rng.integers(0, last + 1))
            free = [k for k in range(last + 1) if abs(k - start) >= WINDOW_FRAMES]
            found.append((clip, start, int(rng.choice(free))))
        return found


def _window(clip: TalkingFace, start: int) -> U8:
    return clip.faces[start : start + WINDOW_FRAMES]


def _pictures(windows: Sequence[U8]) -> Tensor:
    """(B, 3, 5, 96, 96) in [0, 1]."""
    return torch.from_numpy(np.stack(windows)).permute(0, 4, 1, 2, 3).float() / 255


def _sound(columns: Sequence[F32]) -> Tensor:
    """(B, 1, 80, 16)."""
    return torch.from_numpy(np.stack(columns))[:, None]


class _Trained:
    """What both tasks share: one network, Adam, a held-out set."""

    def __init__(
        self, network: nn.Module, clips: Sequence[TalkingFace], held_out: Sequence[TalkingFace], config: TeacherConfig,
        seed: int, device: str,
    ) -> None:  # fmt: skip
        self.config, self._device = config, torch.device(device)
        self.network = network.to(self._device)
        self._draw, self._judged = _Draws(clips, seed), _Draws(held_out or clips, 1)(0, _JUDGED)
        self._optimiser = torch.optim.Adam(self.network.parameters(), lr=config.learning_rate)

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Whose state a checkpoint must hold."""
        return {"network": self._optimiser}

    def budget_fraction(self, fraction: float) -> None:
        """The rate stays, as published."""

    def _descend(self, loss: Tensor) -> None:
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()


class ExpertTask(_Trained):
    """Lips and sound that belong together, or not."""

    network: SyncExpert

    def __init__(
        self, clips: Sequence[TalkingFace], held_out: Sequence[TalkingFace], config: TeacherConfig, seed: int = 0,
        device: str = "cpu",
    ) -> None:  # fmt: skip
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = SyncExpert(config.divide)
        super().__init__(network, clips, held_out, config, seed, device)

    def modules(self) -> dict[str, nn.Module]:
        """What a checkpoint must hold."""
        return {"expert": self.network}

    def step(self, step_index: int) -> dict[str, float]:
        """One step: every other window has lips from elsewhere."""
        drawn = self._draw(step_index, self.config.batch)
        fits = torch.arange(len(drawn)) % 2 == 0
        faces = _pictures([_window(c, s if f else o) for (c, s, o), f in zip(drawn, fits, strict=True)])
        self.network.train()
        sound, lips = self.network(
            _sound([c.heard(s) for c, s, _ in drawn]).to(self._device), halves(faces).to(self._device)
        )
        loss = cosine_loss(sound, lips, fits.float().to(self._device))
        self._descend(loss)
        return {"loss": float(loss.detach())}

    def validate(self) -> dict[str, float]:
        """Held out: `score` the loss, `right` the share of windows nearer to their own lips than to others'."""
        self.network.eval()
        heard = _sound([c.heard(s) for c, s, _ in self._judged]).to(self._device)
        with torch.inference_mode():
            cosines = []
            for own in (True, False):
                faces = _pictures([_window(c, s if own else o) for c, s, o in self._judged])
                sound, lips = self.network(heard, halves(faces).to(self._device))
                cosines.append(functional.cosine_similarity(sound, lips).cpu())
        fit, other = cosines
        both = torch.cat([fit, other]).clamp(1e-6, 1 - 1e-6)
        truth = torch.cat([torch.ones(len(fit)), torch.zeros(len(other))])
        loss = float(functional.binary_cross_entropy(both, truth))
        return {"score": loss, "right": float((fit > other).float().mean())}

    def expert(self) -> SyncExpert:
        """As it stands, frozen, on the CPU."""
        return copy.deepcopy(self.network).cpu().eval().requires_grad_(False)


class GeneratorTask(_Trained):
    """Masked faces, another moment of the same person and sound to faces."""

    network: Wav2Lip

    def __init__(
        self, clips: Sequence[TalkingFace], held_out: Sequence[TalkingFace], expert: SyncExpert, config: TeacherConfig,
        seed: int = 0, device: str = "cpu",
    ) -> None:  # fmt: skip
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = Wav2Lip(config.divide)
        super().__init__(network, clips, held_out, config, seed, device)
        self._expert = copy.deepcopy(expert).to(self._device).eval().requires_grad_(False)
        # Whether the expert counts must outlive an interruption, so it is a buffer of the network's checkpoint.
        self._asked = _Asked().to(self._device)

    def modules(self) -> dict[str, nn.Module]:
        """What a checkpoint must hold."""
        return {"generator": self.network, "asked": self._asked}

    @property
    def kept(self) -> list[str]:
        """What is its result."""
        return ["generator"]

    def _made(self, drawn: Sequence[tuple[TalkingFace, int, int]], other_sound: bool = False) -> tuple[Tensor, Tensor]:
        """(B, 3, 5, 96, 96) drawn and true faces."""
        real = _pictures([_window(c, s) for c, s, _ in drawn])
        hidden = real.clone()
        hidden[:, :, :, SIDE // 2 :] = 0
        faces = torch.cat([hidden, _pictures([_window(c, o) for c, _, o in drawn])], dim=1)
        rows = [[c.heard((o if other_sound else s) + k - 1) for k in range(WINDOW_FRAMES)] for c, s, o in drawn]
        sound = torch.from_numpy(np.stack([np.stack(r) for r in rows]))[:, :, None]
        made: Tensor = self.network(sound.to(self._device), faces.to(self._device))
        return made, real.to(self._device)

    def _sync(self, made: Tensor, drawn: Sequence[tuple[TalkingFace, int, int]]) -> Tensor:
        sound, lips = self._expert(_sound([c.heard(s) for c, s, _ in drawn]).to(self._device), halves(made))
        return cosine_loss(sound, lips, torch.ones(len(drawn), device=self._device))

    def step(self, step_index: int) -> dict[str, float]:
        """One step."""
        drawn = self._draw(step_index, self.config.batch)
        self.network.train()
        made, real = self._made(drawn)
        plain = functional.l1_loss(made, real)
        told = {"l1": float(plain.detach())}
        weight = self.config.sync_weight if bool(self._asked.expert) else 0.0
        if weight:
            sync = self._sync(made, drawn)
            told["sync"] = float(sync.detach())
            plain = weight * sync + (1 - weight) * plain
        self._descend(plain)
        return told

    def validate(self) -> dict[str, float]:
        """Held out: `l1` with their own sound and with another moment's, the other moment's own faces as a control,
        and the expert's loss `sync`; `score` is what is minimised."""
        self.network.eval()
        found: dict[str, list[float]] = {"l1": [], "l1_other_sound": [], "l1_copied": [], "sync": []}
        size = self.config.batch
        with torch.inference_mode():
            for a in range(0, len(self._judged), size):
                drawn = self._judged[a : a + size]
                made, real = self._made(drawn)
                other = _pictures([_window(c, o) for c, _, o in drawn]).to(self._device)
                lower = slice(SIDE // 2, None)
                found["l1"].append(float((made - real)[:, :, :, lower].abs().mean()))
                found["l1_other_sound"].append(float((self._made(drawn, True)[0] - real)[:, :, :, lower].abs().mean()))
                found["l1_copied"].append(float((other - real)[:, :, :, lower].abs().mean()))
                found["sync"].append(float(self._sync(made, drawn)))
        means = {name: float(np.mean(values)) for name, values in found.items()}
        if means["sync"] < self.config.sync_from:
            self._asked.expert.fill_(True)
        return {"score": means["l1"] + self.config.sync_weight * min(means["sync"], -math.log(1e-6)), **means}

    def preview(self) -> U8:
        """(480, 288, 3) RGB: other moment, drawn and true faces of five held-out windows."""
        drawn = self._judged[:5]
        self.network.eval()
        with torch.inference_mode():
            made, real = self._made(drawn)
        other = _pictures([_window(c, o) for c, _, o in drawn])
        rows = [torch.cat([p[k, :, 2].cpu() for p in (other, made, real)], dim=2) for k in range(len(drawn))]
        sheet = torch.cat(rows, dim=1).permute(1, 2, 0).numpy()[..., ::-1]
        return np.ascontiguousarray((255 * sheet).round().astype(np.uint8))

    def generator(self) -> Wav2Lip:
        """As it stands, on the CPU."""
        return copy.deepcopy(self.network).cpu().eval()


class _Asked(nn.Module):
    """Remembers whether the expert counts."""

    expert: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("expert", torch.tensor(False))
