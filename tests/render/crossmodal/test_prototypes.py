"""Mouths that speech chooses among: which, how they are laid into a picture, and what must stay hidden in training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.export import Exported
from lipwright.render.crossmodal.networks import CrossModal
from lipwright.render.crossmodal.prototypes import Chosen, Prototypes, Shape, box_in_head, choose_frames, fading
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.crossmodal.start import mouth_region, start_of
from lipwright.render.crossmodal.task import CrossModalTask

SQUARE = (80, 130, 96)
SHAPE = Shape(3, 40, 80, 160, 96)


def mouths(count: int = 3) -> np.ndarray:
    """Plain pictures of grey 60, 120, 180 ..."""
    return np.stack([np.full((256, 256, 3), 60 * (n + 1), np.uint8) for n in range(count)])


@pytest.fixture
def made() -> Prototypes:
    found = Prototypes(SHAPE, 2, 256, SQUARE)
    codes = np.array([[0, 0], [1, 0], [0, 9]], np.float32)
    found.start_from(Chosen(np.arange(3), codes, np.array([1, 0.5], np.float32), 0.01), mouths(), mouths())
    return found


def test_places_by_hand() -> None:
    # 96 / 256 of a head pixel for every pixel of the mouth picture.
    assert box_in_head(SHAPE, 256, SQUARE) == (95, 160, 60, 36)
    faded = fading(50, 100)
    assert faded.shape == (50, 100)
    assert faded[25, 50] == 1
    assert np.abs(faded[[0, -1]]).max() == 0
    assert np.abs(faded[:, [0, -1]]).max() == 0


def test_frames_stand_for_clusters_and_a_number_counts_as_much_as_it_moves() -> None:
    rng = np.random.default_rng(0)
    said = np.repeat([[-1.0, 0.0], [1.0, 0.0]], 30, 0) + rng.normal(0, 0.05, (60, 2))
    said[:, 1] = rng.normal(0, 3, 60)  # says much and moves nothing
    moves = np.stack([np.ones((3, 4, 4)), np.zeros((3, 4, 4))]).astype(np.float32)
    found = choose_frames(said.astype(np.float32), moves, 2)
    assert sorted((found.frames < 30).tolist()) == [False, True]
    np.testing.assert_array_equal(found.codes, said[found.frames].astype(np.float32))
    np.testing.assert_array_equal(found.weight, [1, 0])
    assert 0 < found.width < 0.02
    assert len(choose_frames(said[:7].astype(np.float32), moves, 96).frames) <= 3
    assert len(choose_frames(np.zeros((9, 2), np.float32), moves, 4).frames) == 1, "silent footage"


@torch.no_grad()
def test_the_nearest_mouth_is_laid_inside_and_nothing_outside(made: Prototypes) -> None:
    said, base = torch.tensor([[0.98, 0.0], [0.0, 9.0]]), torch.zeros(1, 3, 256, 256)
    choice = made.choose(said)
    torch.testing.assert_close(choice.share.sum(1), torch.ones(2))
    assert choice.index[:, 0].tolist() == [1, 2]
    shown = (torch.tanh(made.in_mouth(base, choice)) + 1) * 127.5
    assert shown[0, 0, 128, 120] == pytest.approx(120, abs=0.5)
    assert shown[1, 0, 128, 120] == pytest.approx(180, abs=0.5)
    outside = torch.ones(256, 256, dtype=torch.bool)
    outside[80:176, 40:200] = False
    assert (made.in_mouth(base, choice)[:, :, outside] == 0).all()
    head = made.in_head(base, choice)
    assert torch.tanh(head[0, 0, 178, 125]) == pytest.approx(120 / 127.5 - 1, abs=4e-3)
    assert head[0, 0, 150, 125] == 0


@torch.no_grad()
def test_hidden_mouths_are_not_used(made: Prototypes) -> None:
    hidden = torch.tensor([[False, True, False]])
    choice = made.choose(torch.tensor([[1.0, 0.0]]), hidden)
    assert choice.index[0, 0] == 0
    assert float(choice.share[0][choice.index[0] == 1].sum()) < 1e-6


def test_the_choice_learns(made: Prototypes) -> None:
    made.log_width.data.fill_(0.0)
    said = torch.tensor([[0.4, 0.2]], requires_grad=True)
    made.in_mouth(torch.zeros(1, 3, 256, 256), made.choose(said)).mean().backward()
    assert made.centres.grad is not None
    assert said.grad is not None
    assert float(made.centres.grad.abs().sum()) > 0
    assert float(said.grad.abs().sum()) > 0


def test_in_training_mouths_of_the_same_second_are_hidden(data: CrossModalData, config: CrossModalConfig) -> None:
    task = CrossModalTask(replace(config, prototypes=12, batch=2), data, None, seed=0)
    batch = data.plain(np.array([5, 39]), config)
    hidden, shown = task._hidden(batch), task._shown
    assert hidden is not None
    assert shown is not None
    for row, place in zip(hidden.tolist(), (5, 39), strict=True):
        near = [abs(int(p) - place) <= 25 for p in shown]
        assert row == ([False] * len(near) if all(near) else near)
    assert hidden.any()


def test_a_persons_start_shows_a_real_mouth(data: CrossModalData, config: CrossModalConfig) -> None:
    config = replace(config, prototypes=12)
    zero, one = np.zeros(config.k, np.float32), np.ones(config.k, np.float32)
    start = start_of(data, config, zero, one)
    assert start.chosen is not None
    assert start.chosen_mouths is not None
    left, top, width, height = mouth_region(data, config)
    assert 0 <= left < left + width <= 256
    assert 0 <= top < top + height <= 256
    for frame, mouth in zip(start.chosen.frames, start.chosen_mouths, strict=True):
        np.testing.assert_array_equal(mouth, data.mouth[int(frame)])
    assert start_of(data, replace(config, prototypes=0), zero, one).chosen is None


def test_saved_exported_and_drawn_alike(data: CrossModalData, config: CrossModalConfig) -> None:
    network = CrossModalTask(replace(config, prototypes=12), data, None, seed=0).network().eval()
    assert network.prototypes is not None
    renderer = CrossModalRenderer(network, data.geometry)
    again = CrossModalRenderer.from_state(*renderer.state())
    batch = data.plain(np.array([44]), config)
    with torch.inference_mode():
        head, mouth = network(batch.strokes, batch.speech)
        for a, b in zip(again.network(batch.strokes, batch.speech), (head, mouth), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=0)
        part = network.draw(batch.strokes, batch.speech, (60, 100, 200, 240))
        torch.testing.assert_close(part, head[:, :, 100:240, 60:200], atol=1e-5, rtol=0)
        for a, b in zip(Exported(network, None, True)(batch.strokes, batch.speech), (head, mouth), strict=True):
            torch.testing.assert_close(a, b, atol=1e-3, rtol=0)
    plain = CrossModal(network.config, data.geometry.mouth_square)
    assert plain.prototypes is None
