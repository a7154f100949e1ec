"""Time: what is fed back, when, and that windows, copies and resumed runs make no difference."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from lipwright.core.contracts import RenderWindow
from lipwright.core.errors import ConfigError, SubjectError
from lipwright.core.ibug import MOUTH_JAW
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.data import Batch, TranslationData
from lipwright.render.translation.geometry import TranslationGeometry
from lipwright.render.translation.networks import build_generator
from lipwright.render.translation.renderer import TranslationRenderer
from lipwright.render.translation.task import TranslationTask
from lipwright.render.translation.temporal import (
    Before,
    fed,
    from_nothing,
    history_source,
    roll_out,
    shown_together,
    with_neighbours,
)

SMALL = TranslationConfig(size=64, ngf=4, n_downs=2, n_blocks=1, ndf=4, batch=2)
INPUTS = replace(SMALL, temporal_inputs=True)
JUDGED = replace(SMALL, temporal_discriminator=True)


def make_data(person: Any, config: TranslationConfig, numbers: np.ndarray | None = None) -> TranslationData:
    train, held = np.arange(40), np.arange(40, 48)
    return TranslationData.from_frames(person.frames, person.landmarks, person.pose, config, train, held, numbers)


def make_renderer(person: Any, mode: str = "sewn") -> TranslationRenderer:
    config = replace(INPUTS, mode=mode)
    torch.manual_seed(4)
    geometry = TranslationGeometry.fit(person.landmarks, person.pose, mode, config.size)
    return TranslationRenderer(config, build_generator(config), geometry)


def drawn(renderer: TranslationRenderer, person: Any, *ends: int) -> list[np.ndarray]:
    """Pictures of frames 0 to the last end, in windows between the ends, with the look-ahead that is left."""
    track, last = person.track(), ends[-1]
    found = []
    for first, stop in zip((0, *ends), ends, strict=False):
        ahead = track[first : min(stop + renderer.lookahead, last)]
        window = RenderWindow(person.frames[first:stop], track[first:stop], ahead.landmarks_px[:, MOUTH_JAW], ahead)
        found += [patch.rgb8 for patch in renderer.render(window)]
    return found


@pytest.mark.parametrize("mode", ["sewn", "full-face"])
def test_windows_make_no_difference_and_reset_begins_anew(person: Any, mode: str) -> None:
    renderer = make_renderer(person, mode)
    assert renderer.lookahead == 1
    whole = drawn(renderer, person, 6)
    going_on = drawn(renderer, person, 6)
    renderer.reset()
    parts = drawn(renderer, person, 1, 4, 6)
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))
    assert not np.array_equal(whole[0], going_on[0]), "without reset the last frame is still seen"


def test_copies_have_a_state_of_their_own(person: Any) -> None:
    renderer = make_renderer(person)
    alone = drawn(renderer, person, 3)
    renderer.reset()
    other = copy(renderer)
    drawn(other, person, 5)
    assert all(np.array_equal(a, b) for a, b in zip(alone, drawn(renderer, person, 3), strict=True))


def test_the_lines_before_and_after_and_the_output_before_are_seen(person: Any) -> None:
    renderer = make_renderer(person)
    seen: list[torch.Tensor] = []
    renderer._generated.network.register_forward_pre_hook(lambda _, args: seen.append(args[0][0].clone()))
    drawn(renderer, person, 3)
    lines = [x[0] for x in seen]
    assert all(x.shape[0] == INPUTS.input_channels == 11 for x in seen)
    assert torch.equal(seen[0][-5], lines[0]), "before the first frame there are only its own lines"
    assert torch.count_nonzero(seen[0][-3:]) == 0
    assert torch.equal(seen[1][-5], lines[0])
    assert torch.equal(seen[1][-4], lines[2])
    assert torch.equal(seen[2][-4], lines[2]), "nor after the last"
    assert torch.count_nonzero(seen[1][-3:]) > 0


def test_what_is_fed_back_ends_at_the_wanted_jaw(person: Any) -> None:
    renderer = make_renderer(person)
    drawn(renderer, person, 1)
    assert renderer._before is not None
    share = (renderer._before.picture != 0).any(0).mean()
    assert 0.05 < share < 0.7


def test_neighbours_by_hand() -> None:
    inputs, after = np.full((2, 2, 2), 0.5, np.float32), np.full((2, 2), 0.25, np.float32)
    first = with_neighbours(inputs, None, after)
    assert first[:, 0, 0].tolist() == [0.5, 0.5, 0.5, 0.25, 0, 0, 0]
    before = Before(np.full((2, 2), 0.75, np.float32), np.full((3, 2, 2), -1, np.float32))
    assert with_neighbours(inputs, before, after)[:, 0, 0].tolist() == [0.5, 0.5, 0.75, 0.25, -1, -1, -1]


def test_history_turns_from_real_to_own_within_half_of_the_budget() -> None:
    draws = np.linspace(0, 1, 1000, endpoint=False)

    def shares(fraction: float) -> list[float]:
        found = [history_source(draw, fraction) for draw in draws]
        return [found.count(kind) / len(found) for kind in ("nothing", "own", "real")]

    assert shares(0.0) == pytest.approx([0.1, 0.0, 0.9], abs=0.002)
    assert shares(0.25) == pytest.approx([0.1, 0.45, 0.45], abs=0.002)
    assert shares(0.5) == shares(1.0) == pytest.approx([0.1, 0.9, 0.0], abs=0.002)


def plain_batch(value: float, kept: float) -> Batch:
    """One sample whose seven input channels are `value`."""
    shape = torch.ones(1, 1, 2, 2)
    fields: Any = {
        "inputs": shape.expand(1, 7, 2, 2) * value,
        "target": shape.expand(1, 3, 2, 2),
        "mask": shape,
        "outside": shape.expand(1, 3, 2, 2),
        "mouth": [(0, 0)],
        "kept": shape * kept,
    }
    return Batch(**fields)


def test_a_roll_out_feeds_each_output_on_where_it_is_kept() -> None:
    frames = [plain_batch(0.1, 0.5), plain_batch(0.2, 1.0)]
    seen: list[torch.Tensor] = []

    def generate(x: torch.Tensor) -> torch.Tensor:
        seen.append(x[0, :, 0, 0])
        return torch.full((1, 3, 2, 2), 0.8)

    assert len(roll_out(generate, frames, conditioned=True)) == 2
    assert seen[0].tolist() == pytest.approx([0.1] * 4 + [0, 0, 0])
    assert seen[1].tolist() == pytest.approx([0.2] * 4 + [0.4] * 3)
    assert fed(frames[1], frames[0], frames[0].target)[0, -1, 0, 0] == 0.5
    assert from_nothing(frames[1])[0, :, 0, 0].tolist() == pytest.approx([0.2] * 4 + [0, 0, 0])
    together = shown_together(frames, [f.target for f in frames])
    assert together[0, :, 0, 0].tolist() == pytest.approx([0.1, 0.2] + [1.0] * 6)


def test_a_stretch_is_consecutive_and_drawn_from_seed_and_step(person: Any) -> None:
    still = replace(INPUTS, swap=0.0, jitter_px=0.0, photometric=0.0, shift=0.0)
    data = make_data(person, still)
    a, b = (data.stretch(still, 5, 7) for _ in range(2))
    assert len(a) == 3
    assert all(torch.equal(x.inputs, y.inputs) for x, y in zip(a, b, strict=True))
    for before, after in pairwise(a):
        assert torch.equal(after.inputs[:, -5], before.inputs[:, 0]), "its lines before are those of the frame before"
        assert torch.equal(before.inputs[:, -4], after.inputs[:, 0])
        assert torch.count_nonzero(after.inputs[:, -3:]) == 0
    assert len(make_data(person, SMALL).stretch(SMALL, 5, 7)) == 1, "without time a sample is one frame"


def test_stretches_do_not_cross_gaps(person: Any) -> None:
    gap = np.concatenate([np.arange(20), np.arange(30, 58)])  # ten frames without a face
    data = make_data(person, INPUTS, gap)
    ends = data._ends(data.train, 3)
    assert sorted(set(range(40)) - set(ends.tolist())) == [0, 1, 20, 21]
    assert data._after(19) == 19
    assert data._after(18) == 19
    runs = data.runs(np.arange(14, 28), 2, 6)
    assert [r.tolist() for r in runs] == [list(range(14, 20)), list(range(22, 28))]
    scattered = make_data(person, INPUTS, np.arange(0, 96, 2))
    assert [len(r) for r in scattered.runs(scattered.validation, 3, 6)] == [1, 1, 1]
    with pytest.raises(SubjectError, match="no 3 consecutive frames"):
        scattered.stretch(INPUTS, 0, 0)


@pytest.mark.parametrize("config", [INPUTS, JUDGED, replace(INPUTS, temporal_discriminator=True, mode="full-face")])
def test_a_resumed_run_repeats_the_uninterrupted_one(person: Any, config: TranslationConfig) -> None:
    whole = TranslationTask(config, make_data(person, config), seed=3)
    whole.budget_fraction(0.6)
    first = [whole.step(i) for i in range(2)]
    assert {"temporal_gan", "temporal_features", "temporal_judge"} <= set(first[0]) or config is INPUTS
    resumed = TranslationTask(config, whole.data, seed=3)
    resumed.budget_fraction(0.6)
    for name, part in resumed.modules().items():
        part.load_state_dict({k: v.clone() for k, v in whole.modules()[name].state_dict().items()})
    for name, optimiser in resumed.optimisers().items():
        optimiser.load_state_dict(whole.optimisers()[name].state_dict())
    assert whole.step(2) == resumed.step(2)
    assert "mouth_psnr_db" in whole.validate()
    assert whole.preview().ndim == 3


def test_without_edges_weights_keep_their_shape_and_the_channel_is_empty(person: Any) -> None:
    sighted = replace(SMALL, mode="full-face")
    blind = replace(sighted, edges=False)
    assert blind.input_channels == sighted.input_channels
    seen, unseen = (make_data(person, c).plain(np.array([42]), c).inputs for c in (sighted, blind))
    assert torch.count_nonzero(seen[:, 1]) > 0
    assert torch.count_nonzero(unseen[:, 1]) == 0
    others = [0, 2]
    assert torch.equal(seen[:, others], unseen[:, others])


def test_temporal_channels_come_last_so_other_weights_keep_their_place(person: Any) -> None:
    plain, more = (make_data(person, c).plain_run(np.arange(41, 43), c)[-1].inputs for c in (SMALL, INPUTS))
    assert torch.equal(plain, more[:, : SMALL.input_channels])
    a, b = (dict(build_generator(c).named_parameters()) for c in (SMALL, INPUTS))
    assert list(a) == list(b)
    assert [k for k in a if a[k].shape != b[k].shape] == ["model.1.weight"]


def test_a_stretch_of_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="stretch 1"):
        TranslationConfig(stretch=1)
