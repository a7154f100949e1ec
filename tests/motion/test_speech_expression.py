from __future__ import annotations

import pytest
import torch
from tests.ruled import Reference, check, normal, ruled

from lipwright.core.errors import ShapeError
from lipwright.motion.speech_expression import (
    AtnetAudio,
    LinearExpression,
    SpeechExpression,
    expression_loss,
)

# mean, std, first 8 of the published code in float64 (rtol 1e-6)
AUDIODVP: Reference = (0.0075067830697356785, 2.488888234985081, [
    -0.24448272526395226, 1.7941862998291462, -3.125381922813856, -1.0193083401140706,
    0.20541202509813652, 2.2664797074850593, -0.17002223305834183, -1.4173290326937749,
])  # fmt: skip
ATNET: Reference = (0.10843276631920655, 0.16765674913693296, [
    0.03274202267600393, 0.5767683301593687, 0.0, 0.0, 0.0, 0.0, 0.008271674966200737, 0.18692372397461135,
])  # fmt: skip


def test_audiodvps_network_gives_its_reference_values_and_is_linear() -> None:
    model = ruled(LinearExpression())
    assert sum(p.numel() for p in model.parameters()) == 16_232
    codes = normal("a2e.x", 2, 7, 256)
    check(model(codes), AUDIODVP)
    zero = model(0 * codes)
    torch.testing.assert_close(model(3 * codes) - zero, 3 * (model(codes) - zero))


def test_the_audio_encoder_gives_its_reference_values() -> None:
    """The published input has three steps of time; the first is compared."""
    model = ruled(AtnetAudio())
    cepstra = normal("at.x", 1, 3, 28, 12)
    check(model(cepstra[:, 0]), ATNET)


def test_sequences_are_windows_and_ends_are_repeated() -> None:
    torch.manual_seed(0)
    model = SpeechExpression(6, width=4, channels=16).eval()
    rows = torch.randn(9, 28, 16)
    found = model.sequence(rows)
    assert found.shape == (9, 6)
    torch.testing.assert_close(model(rows[None, 1:8])[0], found[4])
    torch.testing.assert_close(model(rows[[0, 0, 0, 0, 1, 2, 3]][None])[0], found[0])
    changed = rows.clone()
    changed[8] += 1
    assert torch.equal((model.sequence(changed) - found).abs().sum(1) > 1e-7, torch.arange(9) >= 5)


def test_it_learns_and_every_parameter_takes_part() -> None:
    torch.manual_seed(0)
    model = SpeechExpression(4, width=4, channels=16)
    rows, wanted = torch.randn(8, 28, 16), torch.randn(8, 4)
    lips, spread = torch.randn(4, 5, 3), torch.ones(4)
    descent, losses = torch.optim.Adam(model.parameters(), 3e-3), []
    for _ in range(60):
        descent.zero_grad()
        loss = expression_loss(model.sequence(rows)[None], wanted[None], spread, lips)
        loss.backward()
        descent.step()
        losses.append(loss.item())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert losses[-1] < 0.2 * losses[0]


def test_the_loss_is_the_sum_of_its_three_parts() -> None:
    """One coefficient off by 2 in the second of two frames, σ 4: 0.25 / 2; lips 2 (1, 2, 2) cm: 36 / 2; steps 0.25."""
    found, wanted = torch.zeros(1, 2, 1), torch.tensor([[[0.0], [2.0]]])
    loss = expression_loss(found, wanted, torch.tensor([4.0]), torch.tensor([[[1.0, 2.0, 2.0]]]))
    assert loss.item() == pytest.approx(0.125 + 0.5 * 18 + 0.3 * 0.25)


def test_wrong_shapes_are_errors() -> None:
    for call in (
        lambda: LinearExpression()(torch.zeros(1, 5, 256)),
        lambda: SpeechExpression(4, 4, 16)(torch.zeros(1, 6, 28, 16)),
        lambda: SpeechExpression(4, 4, 16).sequence(torch.zeros(3, 28, 80)),
    ):
        with pytest.raises(ShapeError):
            call()
