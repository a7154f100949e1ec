"""The exported form draws what the network draws, and one region holds the patches of all poses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.render.conftest import Person

from lipwright.core.errors import ConfigError
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.export import Blocked, Exported, StridedReduction
from lipwright.render.crossmodal.networks import CrossModal, Reduction
from lipwright.render.crossmodal.patch import covering, hull_mask
from lipwright.render.head import HeadGeometry

CONFIG = CrossModalConfig(size=256, window=3, speech_dim=5)
REGION = (70, 110, 200, 250)


def network() -> CrossModal:
    torch.manual_seed(4)
    return CrossModal(CONFIG, (80, 130, 96)).eval()


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return torch.rand(1, 3, 256, 256, generator=generator), torch.rand(1, 3, 5, generator=generator)


@pytest.mark.parametrize("side", [96, 104, 128, 136, 192])
def test_the_reduction_by_strides_is_the_antialiased_one(side: int) -> None:
    x = torch.randn(2, 3, 256, 256, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(StridedReduction(3, 256, side)(x), Reduction(side)(x), atol=5e-5, rtol=0)


@pytest.mark.parametrize("size", [(20, 30), (21, 33)])
def test_several_pixels_at_once_are_the_same_convolution(size: tuple[int, int]) -> None:
    torch.manual_seed(2)
    output = torch.nn.Conv2d(4, 3, 7)
    x = torch.randn(2, 4, *size)
    with torch.no_grad():
        torch.testing.assert_close(Blocked(output)(x), output(x), atol=1e-5, rtol=0)


@pytest.mark.parametrize("region", [None, REGION])
def test_exported_layers_draw_the_same(region: tuple[int, int, int, int] | None) -> None:
    model = network()
    with torch.no_grad():
        wanted = model.draw(*inputs(), region)
        torch.testing.assert_close(Exported(model, region)(*inputs()), wanted, atol=1e-4, rtol=0)
        both, whole = Exported(model, region, mouth=True)(*inputs()), model(*inputs())
        torch.testing.assert_close(both[0], wanted, atol=1e-4, rtol=0)
        torch.testing.assert_close(both[1], whole[1], atol=1e-4, rtol=0)
    assert isinstance(model.reduction, Reduction)  # the network itself is left alone


def test_a_network_of_one_decoder_has_no_mouth_to_export() -> None:
    single = CrossModal(CrossModalConfig(size=256, decoders=1), (80, 130, 96))
    with pytest.raises(ConfigError, match="one decoder"):
        Exported(single, mouth=True)
    with pytest.raises(ConfigError, match="one decoder"):
        single.draw_both(torch.zeros(1, 3, 256, 256), torch.zeros(1, 6, 34))


def test_the_covering_region_holds_the_masks_of_all_poses_and_hardly_more(person: Person) -> None:
    geometry = HeadGeometry.fit(person.landmarks, person.pose, 256)
    rows, columns = covering(geometry)
    rng = np.random.default_rng(0)
    poses = np.concatenate([rng.normal(0, 0.2, (60, 3)), rng.normal(0, 3, (20, 3))]).astype(np.float32)
    seen = np.zeros((256, 256), np.float32)
    for hull in geometry.crop.hulls(np.concatenate([poses, person.pose])):
        seen = np.maximum(seen, hull_mask(hull, 256))
    outside = seen.copy()
    outside[rows, columns] = 0
    assert not outside.any()
    y, x = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert rows.stop - rows.start < y[-1] - y[0] + 8
    assert columns.stop - columns.start < x[-1] - x[0] + 8
