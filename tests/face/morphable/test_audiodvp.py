"""AudioDVP's and Deep3DFaceRecon's camera, light and losses against values made with their code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.ruled import hashed, normal, uniform

from lipwright.face.morphable import audiodvp
from lipwright.face.morphable.light import AMBIENT, shade
from lipwright.face.morphable.losses import (
    audiodvp_landmark_loss,
    audiodvp_prior,
    deep3d_landmark_loss,
    deep3d_photo_loss,
)
from lipwright.face.pose import rotation


def test_camera() -> None:
    points = hashed("input:cam.v").standard_normal((1, 5, 3)).astype(np.float32)
    found = audiodvp.clip(points)
    assert found.shape == (1, 5, 4)
    np.testing.assert_allclose([found.mean(), found.std()], [3.9404131211340427, 6.024111916043478], rtol=1e-5)
    np.testing.assert_allclose(found.ravel()[:8], [
        2.305471658706665, -8.023009300231934, 8.892271995544434, 8.910490989685059,
        -0.16362495720386505, 7.112786293029785, 8.058036804199219, 8.076422691345215,
    ], rtol=1e-5)  # fmt: skip
    np.testing.assert_allclose(audiodvp.screen(points, 256).ravel()[:8], [
        161.11830139160156, 12.748756408691406, 125.40677642822266, 240.72772216796875,
        114.38239288330078, 280.39300537109375, 35.57451629638672, 121.04243469238281,
    ], rtol=1e-5)  # fmt: skip


def test_rotation() -> None:
    found = rotation((0.3 * hashed("input:euler").standard_normal((2, 3, 1)))[..., 0].astype(np.float32))
    np.testing.assert_allclose(found.ravel(), [
        0.9914060235023499, -0.09610769897699356, -0.08875527232885361, 0.09954065084457397, 0.9944146275520325,
        0.03508853539824486, 0.08488725870847702, -0.043621741235256195, 0.9954352378845215, 0.8647336363792419,
        -0.47876715660095215, 0.15171629190444946, 0.38326582312583923, 0.8242933750152588, 0.4167105257511139,
        -0.3245660662651062, -0.3021959364414215, 0.8962892889976501,
    ], rtol=1e-5, atol=1e-7)  # fmt: skip


def test_light() -> None:
    normals = hashed("input:sh.n").standard_normal((1, 6, 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    gamma = (0.1 * hashed("input:sh.g").standard_normal((1, 27, 1))).reshape(1, 9, 3)
    gamma[:, 0] += AMBIENT
    found = shade(hashed("input:sh.t").random_sample((1, 6, 3)), normals, gamma)
    np.testing.assert_allclose([found.mean(), found.std()], [0.29666886884822613, 0.18360260158032377], rtol=1e-5)
    np.testing.assert_allclose(found.ravel()[:8], [
        0.24256829917430878, 0.22987279276153564, 0.24725334346294403, 0.0020536654628813267,
        0.26102009415626526, 0.3285810053348541, 0.33346813917160034, 0.4194183945655823,
    ], rtol=1e-5, atol=1e-7)  # fmt: skip


def test_losses() -> None:
    a, b = (uniform(f"d3.{k}", 2, 3, 8, 8) for k in "ab")
    mask = (uniform("d3.m", 2, 1, 8, 8) > 0.3).double()
    assert deep3d_photo_loss(a, b, mask).item() == pytest.approx(0.7093698004165129, rel=1e-5)
    assert deep3d_photo_loss(a, b, 0 * mask).item() == 0
    found, wanted = (normal(f"d3.l{k}", 2, 68, 2) for k in (1, 2))
    assert deep3d_landmark_loss(found, wanted).item() == pytest.approx(14.461449347950468, rel=1e-5)
    assert audiodvp_landmark_loss(found, wanted).item() == pytest.approx(278.16468393645977, rel=1e-5)


def test_the_prior_weighs_the_three_groups() -> None:
    one, two = torch.ones(1, 2), torch.full((1, 1), 2.0)
    assert audiodvp_prior(one, two, two).item() == pytest.approx(2 + 1.7e-3 * 4 + 0.8 * 4)
