from __future__ import annotations

import pytest
import torch

from lipwright.motion.losses import cascade_loss, squared_error, velocity_error


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
