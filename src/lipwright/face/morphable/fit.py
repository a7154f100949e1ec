"""A face fitted to a video: identity and texture once, then expression, pose and light of every frame.

Analysis by synthesis after AudioDVP's energy (`losses`), solved by Gauss-Newton in batches instead of by training a
network: identity from a few frames spread over the poses, everything else frame by frame, then pose and light
smoothed in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.errors import SubjectError
from lipwright.core.progress import Progress, Silent
from lipwright.face.morphable.brightness import Compare, colours_at, light_of, soft_grey
from lipwright.face.morphable.model import Coefficients, FaceModel, camera_of, landmarks_px
from lipwright.face.morphable.solve import Noise, Points, State, first_state, geometry_step, projected, step
from lipwright.face.morphable.targets import Targets, targets
from lipwright.face.morphable.texture import learn
from lipwright.face.raster import vertex_normals
from lipwright.face.smooth import smooth_runs

_SAMPLES = 600
"""Vertices whose brightness is compared."""
_WINDOW = 5
"""Frames of the Savitzky-Golay filter over time."""


@dataclass(frozen=True)
class FitConfig:
    """How a fit works."""

    identity_frames: int = 40
    """Frames that geometry and texture are found on."""
    identity_rounds: int = 4
    """Turns between what all frames share and what each has of its own."""
    point_steps: int = 4
    """Steps on points alone."""
    joint_steps: int = 2
    """Steps on points and brightness."""
    batch: int = 32
    """Frames at once."""
    smooth: bool = True
    """Smooth pose, place and light over five frames."""
    noise: Noise = field(default_factory=Noise)
    """Of the evidence."""


@dataclass(frozen=True)
class Fit:
    """A model with everything that makes the video's frames."""

    model: FaceModel
    coefficients: Coefficients
    trusted: F32
    """(T,) share of brightness samples that the face explains: low where something lies over it."""


def pick(track: FaceTrack, count: int) -> NDArray[np.int64]:
    """Usable frames spread over poses and mouths: by yaw, pitch and lip aperture in turn, evenly from end to end."""
    good = np.flatnonzero(track.good)
    aperture = np.linalg.norm(track.landmarks_px[good, 62] - track.landmarks_px[good, 66], axis=1)
    chosen: list[int] = []
    for values in (track.pose_rad[good, 1], track.pose_rad[good, 0], aperture):
        order = good[np.argsort(values, kind="stable")]
        chosen += [int(f) for f in order[np.linspace(0, len(order) - 1, -(-count // 3)).round().astype(int)]]
    return np.unique(chosen)


def identity(
    model: FaceModel,
    track: FaceTrack,
    frame: Callable[[int], U8],
    config: FitConfig | None = None,
) -> tuple[FaceModel, F32, F32]:
    """The model with the person's texture, and their (G,) geometry and (X,) texture.

    `frame` gives frame f as RGB; about 40 are asked for.
    """
    config = config or FitConfig()
    chosen, camera = pick(track, config.identity_frames), camera_of(track.size)
    aim = targets(model)
    seen = aim.of(track, chosen)
    geometry = np.zeros(len(model.geometry), np.float32)
    bends = aim.points(model.geometry)
    state = None
    for _ in range(config.identity_rounds):
        points = _points(model, aim, geometry)
        if state is None:
            state = first_state(points, seen, track.pose_rad[chosen], camera)
        for k in range(config.point_steps):
            state = step(state, points, seen, aim.weights, camera, config.noise, robust=k > 1)
        geometry = geometry_step(state, points, bends, seen, aim.weights, camera, config.noise, geometry)
    assert state is not None
    points = _points(model, aim, geometry)
    for _ in range(config.point_steps):
        state = step(state, points, seen, aim.weights, camera, config.noise)
    none = np.zeros((len(chosen), 9, 3), np.float32)
    texture = np.zeros(len(model.texture), np.float32)
    c = Coefficients(
        geometry, texture, state.expression, state.pose_rad, state.shift.astype(np.float32), none
    )  # fmt: skip
    learnt, texture, _ = learn(model, c, [frame(int(f)) for f in chosen], track.size)
    return learnt, geometry, texture


def follow(
    model: FaceModel,
    geometry: F32,
    texture: F32,
    track: FaceTrack,
    pictures: Iterable[U8],
    config: FitConfig | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Expression, pose and light of every frame of a video whose person is known.

    Args:
        model: with the person's texture.
        geometry: (G,), and `texture` (X,), from `identity`.
        track: T frames; those without a face get their neighbours' interpolated points, as the track has them.
        pictures: the T frames as RGB, read in order, a batch at a time.
        progress: told of every batch.
    """
    config, progress = config or FitConfig(), progress or Silent()
    worker = _Follower(model, geometry, texture, track.size, config)
    stream, parts, start = iter(pictures), list[tuple[State, F32, F32]](), 0
    progress.start("fitting", len(track))
    while batch := list(islice(stream, min(config.batch, len(track) - start))):
        parts.append(worker(track, slice(start, start + len(batch)), batch))
        start += len(batch)
        progress.update(start)
    progress.finish()
    if not parts:
        raise SubjectError("there are no frames to fit a face to; prepare the footage again")
    turn = np.concatenate([p[0].turn for p in parts])
    shift = np.concatenate([p[0].shift for p in parts])
    expression = np.concatenate([p[0].expression for p in parts])
    light, trusted = (np.concatenate([p[k] for p in parts]) for k in (1, 2))
    pose = State(expression, turn, shift).pose_rad
    c = Coefficients(geometry, texture, expression, pose, shift.astype(np.float32), light)
    return Fit(model, smoothed(c, track.present[:start]) if config.smooth else c, trusted)


class _Follower:
    """What stays the same from batch to batch."""

    def __init__(self, model: FaceModel, geometry: F32, texture: F32, size: tuple[int, int], config: FitConfig) -> None:
        self._camera, self._config, self._aim = camera_of(size), config, targets(model)
        self._points = _points(model, self._aim, geometry)
        still = np.asarray(model.mean + np.tensordot(geometry, model.geometry, 1), np.float32)
        normals = vertex_normals(still, model.triangles)
        facing = np.flatnonzero((normals[:, 2] > 0.3) & ~model.inside)
        chosen = facing[np.unique(np.linspace(0, len(facing) - 1, _SAMPLES).astype(int))]
        self._samples = Points(still[chosen], np.ascontiguousarray(model.expression[:, chosen]))
        self._normals, self._albedo = normals[chosen], model.albedo(texture)[chosen]

    def __call__(self, track: FaceTrack, where: slice, pictures: list[U8]) -> tuple[State, F32, F32]:
        """State, (T, 9, 3) light and (T,) share of trusted samples of a batch."""
        seen, config = self._aim.of(track, where), self._config
        state = first_state(self._points, seen, track.pose_rad[where], self._camera)
        for k in range(config.point_steps):
            state = self._step(state, seen, k > 1, None)
        greys = [soft_grey(p) for p in pictures]
        light = self._light(state, pictures)
        compare = Compare(greys, self._albedo, self._normals, light)
        for _ in range(config.joint_steps):
            state = self._step(state, seen, True, compare)
        px = projected(self._samples, state, self._camera).px
        errors = np.abs(compare(state, px)[0])
        return state, self._light(state, pictures), (errors < 2 * config.noise.brightness).mean(1).astype(np.float32)

    def _step(self, state: State, seen: F32, robust: bool, compare: Compare | None) -> State:
        samples = None if compare is None else self._samples
        return step(
            state, self._points, seen, self._aim.weights, self._camera, self._config.noise,
            robust=robust, samples=samples, brightness=compare,
        )  # fmt: skip

    def _light(self, state: State, pictures: list[U8]) -> F32:
        px = projected(self._samples, state, self._camera).px
        found = []
        for t, picture in enumerate(pictures):
            turned = (self._normals @ state.turn[t].T).astype(np.float32)
            facing = (turned[:, 2] > 0.25).astype(np.float32)
            found.append(light_of(colours_at(picture, px[t]), self._albedo, turned, facing))
        return np.stack(found)


def _points(model: FaceModel, aim: Targets, geometry: F32) -> Points:
    still = aim.points(model.mean) + np.tensordot(geometry, aim.points(model.geometry), 1)
    return Points(np.asarray(still, np.float32), aim.points(model.expression))


def smoothed(c: Coefficients, present: NDArray[np.bool_]) -> Coefficients:
    """Pose, place and light filtered over time (Savitzky-Golay, 5 frames, order 2) within each stretch.

    Not the expression: the track's lips have been through that window already, and twice takes a quarter of the energy
    between frames that lips really have (exact points of the bundled presenter).
    """
    parts = (smooth_runs(a, present, _WINDOW) for a in (c.pose_rad, c.shift_cm, c.light))
    return Coefficients(c.geometry, c.texture, c.expression, *parts)


def reprojection_px(fit: Fit, track: FaceTrack) -> F32:
    """(T,) mean distance in pixels of the 68 points, model against tracker."""
    found = landmarks_px(fit.model, fit.coefficients, track.size)
    return np.asarray(np.linalg.norm(found - track.landmarks_px[: len(found)], axis=-1).mean(-1), np.float32)
