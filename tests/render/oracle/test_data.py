"""Samples: cut from the frame itself, numbered, moved together with their drawing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.render.conftest import Person
from tests.render.oracle.conftest import tiny

from lipwright.core.errors import ConfigError, ShapeError, SubjectError
from lipwright.render.oracle.config import oracle_preset
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.drawing import mouth_areas
from lipwright.render.oracle.oracle import oracle_networks
from lipwright.render.translation.crop import sample_crop


def test_mouths_are_cut_from_the_frames(data: OracleData, person: Person) -> None:
    maps = data.geometry.mouth_maps(person.landmarks, data.mouth_size)
    for i in (0, 17, 47):
        wanted = sample_crop(person.frames[i], maps[i], data.mouth_size)
        assert np.abs(data.mouth(i).astype(int) - wanted).mean() < 0.3, "but for the sampler's grid of 1/32 px"
    assert data.mouth_size > data.geometry.mouth_square[2], "larger than in the head crop"


def test_the_same_step_has_the_same_samples(data: OracleData) -> None:
    config = tiny()
    for draw in (data.mouth_batch, data.head_batch):
        one, same, other = draw(config, 3, 5), draw(config, 3, 5), draw(config, 3, 6)
        np.testing.assert_array_equal(one.drawing.numpy(), same.drawing.numpy())
        np.testing.assert_array_equal(one.target.numpy(), same.target.numpy())
        assert not np.array_equal(one.drawing.numpy(), other.drawing.numpy())


def test_two_processes_with_one_sample_see_what_one_with_two_sees(data: OracleData) -> None:
    config = tiny()
    both = replace(config, mouth=replace(config.mouth, batch=2))
    whole = data.mouth_batch(both, 0, 4).drawing.numpy()
    parts = [data.mouth_batch(config, 0, 4, rank).drawing.numpy() for rank in (0, 1)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_shifted_mouths_stay_under_their_drawing(data: OracleData) -> None:
    """Lips are the reddest of the drawn face: where the drawing says lips, the target is redder than around."""
    room, config = data.room, replace(tiny(), mouth=replace(tiny().mouth, jitter_px=0.0))
    assert room > 0
    for step in range(12):
        batch = data.mouth_batch(config, 1, step)
        red = (batch.target[0, 0] - batch.target[0, 1]).numpy()
        lips = batch.drawing[0, 1].numpy() > 0.9
        skin = (batch.drawing[0, 1] + batch.drawing[0, 2]).numpy() < 0.05
        assert red[lips].mean() > red[skin].mean() + 0.3


def test_lips_weigh_more(data: OracleData) -> None:
    config = replace(tiny(), lip_weight=3.0)
    batch = data.plain(data.validation[:1], config).mouth
    lips, _ = mouth_areas(data.mouth_landmarks(data.landmarks[data.validation[0]]), data.mouth_size)
    assert batch.weight[0, 0].numpy()[lips == 255].mean() > 2.8
    assert float(batch.weight.min()) == 1.0


def test_what_does_not_fit_is_refused(data: OracleData) -> None:
    with pytest.raises(SubjectError, match="film longer"):
        replace(data, validation=np.arange(0))
    with pytest.raises(ShapeError):
        replace(data, outlines=data.outlines[:3])
    with pytest.raises(ConfigError, match="unknown oracle 'gan'"):
        tiny("gan")
    with pytest.raises(ConfigError, match="available: broadcast, draft, standard"):
        oracle_preset("best")
    with pytest.raises(ConfigError, match="mouth_share"):
        tiny(mouth_share=1.5)
    with pytest.raises(ConfigError, match="no networks"):
        oracle_networks(tiny("memory"))
