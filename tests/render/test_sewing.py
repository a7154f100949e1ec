"""Sewing: the jaw line lies where it is wanted, once, and what is beside it stays."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import JAW_LINE, MOUTH_JAW
from lipwright.media.video import VideoReader
from lipwright.presenter.scene import load_truth
from lipwright.render.layers import Layer
from lipwright.render.sewing import _moving, change_mask, jaw_field, meet_jaw, mouth_mask, sew, skin_mask, wanted_jaw
from lipwright.render.warp import grid_nodes, upsample

SIDE, EYE = 400, 130.0
CENTRE, RADII = (200.0, 170.0), (95.0, 150.0)


def landmarks(drop: float = 0.0) -> F32:
    """A face whose jaw line is half an ellipse; `drop` lowers it in proportion to how near the chin it is."""
    points = np.zeros((68, 2), np.float32)
    angle = np.linspace(np.pi, 0, 17)
    share = np.sin(angle).clip(0, 1)
    points[JAW_LINE, 0] = CENTRE[0] + RADII[0] * np.cos(angle)
    points[JAW_LINE, 1] = CENTRE[1] + RADII[1] * share + drop * share**4
    points[27:36] = (CENTRE[0], CENTRE[1] + 20)
    points[[31, 33, 35], 0] = (180, 200, 220)
    points[[31, 33, 35], 1] = CENTRE[1] + 40
    points[36], points[45] = (135, 140), (265, 140)
    around = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    points[48:68] = np.stack([200 + 30 * np.cos(around), 250 + 10 * np.sin(around)], -1)
    return points


def scene(points: F32, stripes: int = 12) -> U8:
    """A face over a neck, in front of a striped wall."""
    picture = np.where(np.arange(SIDE) // stripes % 2 == 0, 60, 140).astype(np.uint8)
    rgb = np.repeat(np.tile(picture, (SIDE, 1))[..., None], 3, axis=2)
    rgb[300:, 150:250] = 110
    cv2.fillPoly(rgb, [np.round(points[JAW_LINE] * 16).astype(np.int32)], (220, 220, 220), cv2.LINE_AA, 4)
    return np.asarray(rgb, np.uint8)


def target(points: F32) -> F32:
    return points[MOUTH_JAW]


@pytest.mark.parametrize("drop", [-15, -9, -4, 4, 9, 15])
def test_the_chin_is_where_it_is_wanted_and_only_there(drop: float) -> None:
    """Down the middle of the picture there is one step from face to neck, within a pixel of the wanted chin."""
    own, wanted = landmarks(), landmarks(drop)
    made = meet_jaw(scene(own), own, target(wanted), EYE)
    column = made[int(own[33, 1]) :, 200, 0].astype(float)
    steps = np.flatnonzero((column[:-1] > 165) & (column[1:] <= 165))
    assert len(steps) == 1, "a second one is a double chin, none a missing one"
    assert steps[0] + int(own[33, 1]) + 0.5 == pytest.approx(wanted[8, 1], abs=1.5)
    assert not ((column < 105) & (column > 0)).any(), "the wall is not pulled onto the neck"


@pytest.mark.parametrize("drop", [-12, 12])
@pytest.mark.parametrize("rows", [(100, 400), (140, 360)])
def test_a_wide_picture_is_bent_on_both_sides(drop: float, rows: tuple[int, int]) -> None:
    """The face is symmetric, so is its change, whatever the picture's proportions."""
    own, wanted = landmarks() - (0, rows[0]), landmarks(drop) - (0, rows[0])
    picture = scene(landmarks())[rows[0] : rows[1]]
    made = meet_jaw(picture, own.astype(np.float32), target(wanted.astype(np.float32)), EYE)
    changed = (made != picture).any(-1)
    left, right = int(changed[:, :195].sum()), int(changed[:, 205:].sum())
    assert right == pytest.approx(left, rel=0.1)


@pytest.mark.parametrize("drop", [-12, 12])
def test_stripes_beside_the_jaw_stay_straight(drop: float) -> None:
    """Further than a quarter of an eye distance from both jaws nothing changes; nearer, lines move by little."""
    own, wanted = landmarks(), landmarks(drop)
    template = scene(own, 6)
    made = meet_jaw(template, own, target(wanted), EYE)
    faces = np.zeros((SIDE, SIDE), np.uint8)
    for points in (own, wanted):
        cv2.fillPoly(faces, [np.round(points[JAW_LINE]).astype(np.int32)], (255,))
    away = cv2.distanceTransform(255 - faces, cv2.DIST_L2, 5)
    beside = away > 0.25 * EYE
    beside[:, 150:250] = away[:, 150:250] > 0.25 * EYE + 2.5 * abs(drop)
    np.testing.assert_array_equal(made[beside], template[beside])
    field, grid = jaw_field(own, wanted_jaw(own, target(wanted)), (SIDE, SIDE), EYE)
    sideways = np.abs(field[:, 0]).reshape(grid[1], grid[0])
    x = (np.arange(grid[0]) + 0.5) * SIDE / grid[0]
    assert sideways[:, (x < 105) | (x > 295)].max() < 0.25 * abs(drop)


@pytest.mark.parametrize("drop", [-20, -12, -6, 6, 12, 20])
def test_nothing_folds(drop: float) -> None:
    """The way back into the template turns nowhere round: no texture is shown twice, none is stretched fourfold."""
    own = landmarks()
    field, (columns, rows) = jaw_field(own, wanted_jaw(own, target(landmarks(drop))), (SIDE, SIDE), EYE)
    moved = field.reshape(rows, columns, 2)
    across, down = np.diff(moved, axis=1)[:-1] * columns / SIDE, np.diff(moved, axis=0)[:, :-1] * rows / SIDE
    area = (1 + across[..., 0]) * (1 + down[..., 1]) - across[..., 1] * down[..., 0]
    assert area.min() > 0.15
    assert area.max() < 4


@pytest.mark.parametrize("size", [(60, 90), (90, 60), (78, 79)])
def test_where_a_field_moves_is_found_in_pictures_of_any_shape(size: tuple[int, int]) -> None:
    """The last node alone moves: what it reaches lies in the area, which lies in the picture."""
    width, height = size
    nodes, grid = grid_nodes(width, height, 10)
    field = np.zeros_like(nodes)
    field[-1] = 5
    area = _moving(field, grid, size)
    assert area is not None
    still = np.square(upsample(field, grid, width, height)).sum(-1) <= 1 / 64**2
    assert not still.all()
    still[area] = True
    assert still.all()
    assert area[0].stop <= height
    assert area[1].stop <= width


def test_the_same_jaw_changes_nothing() -> None:
    own = landmarks()
    template = scene(own)
    assert meet_jaw(template, own, target(own), EYE) is template
    lower = meet_jaw(template, own, target(landmarks(12)), EYE)
    above = int(own[33, 1]) - 20
    np.testing.assert_array_equal(lower[:above], template[:above])


def test_masks_follow_the_face_and_not_the_picture() -> None:
    """Twice the face in twice the picture: the same mask, and on the same face in a larger picture the same pixels."""
    own = landmarks()
    small = mouth_mask(own, target(own), (SIDE, SIDE), EYE)
    large = mouth_mask(2 * own + 0.5, 2 * target(own) + 0.5, (2 * SIDE, 2 * SIDE), 2 * EYE)
    half = cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert np.abs(half - small).max() < 0.06
    wide = mouth_mask(own, target(own), (2 * SIDE, SIDE), EYE)
    np.testing.assert_allclose(wide[:, :SIDE], small, atol=0.01)
    assert small[250, 200] == 1
    assert small[int(own[8, 1]) + 20, 200] < 0.02
    skin = skin_mask(small, target(own), EYE)
    assert skin[250, 200] == 0
    assert skin[285, 200] == 1


def test_a_change_is_covered_and_fades_where_nothing_changed() -> None:
    before = np.zeros((120, 140, 3), np.uint8)
    after = before.copy()
    after[50:70, 60:90] = 9
    mask = change_mask(before, after, 100)
    assert mask[50:70, 60:90].min() == pytest.approx(1)
    assert mask.max() <= 1 + 1e-6
    assert not mask[:30].any()
    assert not change_mask(before, before, 100).any()
    border = change_mask(before, np.full_like(before, 9), 100)
    assert not np.concatenate([border[0], border[-1], border[:, 0], border[:, -1]]).any()


def test_what_a_drawing_shows_beside_the_face_is_not_used() -> None:
    """A drawn face in a crop of its own, before another wall and with a red neck."""
    own, wanted = landmarks(), landmarks(-12)
    template, drawn = scene(own), scene(wanted)
    outside = drawn[..., 0] != 220
    drawn[outside] = (200, 0, 0)
    crop = np.array([[0.5, 0, -40], [0, 0.5, -50]], np.float32)
    small = cv2.warpAffine(drawn, crop, (140, 140), flags=cv2.INTER_AREA)
    patch = sew(
        template, np.array([40, 60, 360, 390]), own, target(wanted),
        [Layer(np.asarray(small, np.uint8), np.ones((140, 140), np.float32), crop)], EYE,
    )  # fmt: skip
    np.testing.assert_array_equal(patch.crop_from_frame, [[1, 0, -40], [0, 1, -60]])
    used = patch.mask[..., None] * (patch.rgb8.astype(int) - template[60:390, 40:360])
    shown = template[60:390, 40:360] + used
    red = shown[..., 0] - shown[..., 1]
    face = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(face, [np.round(wanted[JAW_LINE]).astype(np.int32)], (255,))
    away = cv2.distanceTransform(255 - face, cv2.DIST_L2, 5)[60:390, 40:360]
    assert red[away > 0.06 * EYE].max() < 12
    assert red.max() < 70, "the soft rim lies on the jaw line"


@pytest.fixture(scope="module")
def presenters(presenter: Path) -> tuple[list[U8], list[U8], F32, F32]:
    """The same head motion twice, saying different things: templates, truth, exact landmarks of both."""
    cross = presenter.with_name("presenter_cross.mp4")
    both = [[f.rgb8 for f, _ in zip(VideoReader(path), range(175), strict=False)] for path in (presenter, cross)]
    points = [load_truth(path.with_name(path.stem + "_truth.npz")).landmarks_px[:175] for path in (presenter, cross)]
    return both[0], both[1], points[0], points[1]


def test_a_smooth_drawing_keeps_the_skin_of_the_template_and_not_its_lips() -> None:
    """A drawing without any detail over a face of noise: noise on the chin as in the template, none on the lips."""
    own, wanted = landmarks(), landmarks(6)
    rng = np.random.default_rng(0)
    frame = np.clip(scene(own).astype(np.int16) + rng.normal(0, 12, (SIDE, SIDE, 1)), 0, 255).astype(np.uint8)
    drawn = Layer(
        np.full((SIDE, SIDE, 3), 200, np.uint8), np.ones((SIDE, SIDE), np.float32), np.eye(2, 3, dtype=np.float32)
    )
    box = np.array([0, 0, SIDE, SIDE])
    plain, fine = (sew(frame, box, own, target(wanted), [drawn], EYE, skin=skin).rgb8 for skin in (False, True))
    chin, lips = np.s_[285:305, 185:215, 0], np.s_[246:254, 185:215, 0]
    assert plain[chin].std() < 1
    assert fine[chin].std() == pytest.approx(12, abs=4)
    assert fine[lips].std() < 1
    assert abs(float(fine[chin].mean()) - 200) < 3


@pytest.mark.parametrize("lower", [True, False])
def test_against_the_true_picture(presenters: tuple[list[U8], list[U8], F32, F32], lower: bool) -> None:
    """A perfect drawing of another sentence, in a crop with a wrong background, over a jaw 5 to 9 px away.

    Beside and below the jaw the result is nearer to the truth than the untouched template is, whose shade of
    the chin is in the wrong place; between the two jaw lines much nearer.
    """
    templates, truths, own, said = presenters
    drop = said[:, 8, 1] - own[:, 8, 1]
    chosen = np.argsort(-drop if lower else drop)[:6]
    assert np.abs(drop[chosen]).min() > 4
    errors = np.zeros((2, 2))
    for t in chosen:
        eye = float(np.linalg.norm(own[t, 45] - own[t, 36]))
        box = np.array([*(own[t, 2:15].min(0) - 60), *(own[t, 2:15].max(0) + 60)]).astype(np.int64)
        drawn = Layer(truths[t], np.ones((512, 512), np.float32), np.eye(2, 3, dtype=np.float32))
        patch = sew(templates[t], box, own[t], said[t, MOUTH_JAW], [drawn], eye)
        x0, y0, x1, y1 = box
        old, true = (f[y0:y1, x0:x1].astype(float) for f in (templates[t], truths[t]))
        new = old + patch.mask[..., None] * (patch.rgb8 - old)
        faces = np.zeros((512, 512), np.uint8)
        for points in (own[t], said[t]):
            cv2.fillPoly(faces, [np.round(points[JAW_LINE]).astype(np.int32)], (255,))
        away = cv2.distanceTransform(255 - faces, cv2.DIST_L2, 5)[y0:y1, x0:x1]
        inside = cv2.distanceTransform(faces, cv2.DIST_L2, 5)[y0:y1, x0:x1]
        low = np.zeros(away.shape, bool)
        low[int(own[t, 33, 1]) - y0 :] = True
        for k, where in enumerate(((away > 0.05 * eye) & (away < 0.35 * eye), (away <= 0.05 * eye) & (inside < 12))):
            for j, picture in enumerate((old, new)):
                errors[k, j] += ((picture - true) ** 2)[where & low].sum()
    beside, between = 10 * np.log10(errors[:, 0] / errors[:, 1])
    assert beside > 0.3
    assert between > 6
