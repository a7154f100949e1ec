from __future__ import annotations

import pytest
import torch

from lipwright.motion.losses import cascade_loss, lsgan, squared_error, velocity_error


def test_equations_by_hand() -> None:
    truth = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]]])
    guess = torch.tensor([[[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]]])
    # frames: 1, 1, 4 -> mean 2; differences of truth (1,0) (0,2), of the guess (0,1) (0,-1): 1+1, 9 -> 5.5
    assert squared_error(truth, guess).item() == pytest.approx(2)
    assert velocity_error(truth, guess).item() == pytest.approx(5.5)
    mouth, heard = torch.zeros(1, 3, 1), torch.full((1, 3, 1), 2.0)
    loss = cascade_loss(mouth, heard, truth, guess)
    assert loss.pca.item() == pytest.approx(4)
    assert loss.total.item() == pytest.approx(2 + 0.05 * 4 + 0.6 * 5.5)


def test_batches_are_averaged_and_features_summed() -> None:
    truth = torch.zeros(3, 4, 5)
    assert squared_error(truth, truth + 2).item() == pytest.approx(20)
    assert velocity_error(truth, truth + 2).item() == 0


def test_least_squares_by_hand() -> None:
    judged = torch.tensor([0.5, 2.0])
    assert lsgan(judged, 1.0).item() == pytest.approx((0.25 + 1) / 2)
    assert lsgan(judged, 0.0).item() == pytest.approx((0.25 + 4) / 2)


def test_least_squares_of_the_published_discriminator() -> None:
    """Verdicts of two scales known by size, mean and deviation; their losses for 'real' add up to the reference's."""
    total = 0.0
    for size, mean, std in (
        (121, -0.013835969985084692, 0.5459540512369404),
        (49, -0.07604548875057605, 0.5797630871303541),
    ):
        verdict = torch.linspace(-1, 1, size, dtype=torch.float64)
        verdict = mean + std * (verdict - verdict.mean()) / verdict.std(correction=0)
        total += lsgan(verdict, 1.0).item()
    assert total == pytest.approx(2.819928323034156, rel=1e-6)
