"""What the rows learn from and are judged on: stretches of one subject or of a set of landmark tracks.

Coordinates are nose-centred and divided by the Frobenius norm of all 68 points of the frame, as the paper's numbers
seem to be (SPEC 1). Splits are by time: the last tenth of a subject is the test, the tenth before it validates, with
3 s left out before each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lipwright.core.clock import FPS, round_half_up
from lipwright.core.contracts import F32, Conditions
from lipwright.core.errors import SubjectError
from lipwright.core.resample import cubic, linear, positions
from lipwright.motion.data import MIN_FRAMES, MotionClip, MotionData
from lipwright.motion.normalise import cheeks, frobenius_scale, nose_centre, targets
from lipwright.speech.features import features_of
from lipwright.subject.store import Subject

_GAP_S = 3


@dataclass(frozen=True)
class Recording:
    """One track with its sound."""

    landmarks_px: F32
    """(T, 68, 2) at 25 fps."""
    pose_rad: F32
    confidence: F32
    samples: F32
    split: str = "train"
    person: int = 0
    template_px: F32 | None = None
    """(T, 68, 2) of a template: other speech over other head motion; with its truth and pose."""
    template_pose_rad: F32 | None = None
    template_truth_px: F32 | None = None
    """(T, 68, 2) this speech over the template's head motion, where that is known."""


@dataclass(frozen=True)
class Cross:
    """A test stretch over other frames."""

    held: Conditions
    """Pose and cheeks of the template's frames."""
    template: F32
    """(T, 29, 2) the template's own mouth and jaw."""
    truth: F32 | None
    """(T, 29, 2) exact, where it is known."""


@dataclass(frozen=True)
class Test:
    """A stretch that no choice has looked at."""

    clip: MotionClip
    scale_px: F32
    """(T,) pixels per unit."""
    samples: F32
    """(640·T,) its sound."""
    cross: Cross | None = None

    __test__ = False
    """Not a test case, whatever pytest thinks of its name."""


@dataclass(frozen=True)
class Corpus:
    """One material."""

    name: str
    source: str
    """Tells this material from others of the same name."""
    train: Sequence[MotionClip]
    validation: Sequence[MotionClip]
    tests: Sequence[Test] = field(default_factory=tuple)

    @property
    def data(self) -> MotionData:
        """What a task learns from."""
        return MotionData(self.train, self.validation)

    @property
    def train_s(self) -> float:
        """Seconds to learn from."""
        return sum(map(len, self.train)) / float(FPS)

    def shortened(self, seconds: float | None) -> Corpus:
        """The same with the last `seconds` to learn from; SubjectError when that is too little."""
        if seconds is None:
            return self
        left, kept = round(seconds * FPS), list[MotionClip]()
        for clip in reversed(self.train):
            if left >= MIN_FRAMES:
                kept.insert(0, clip.part(max(len(clip) - left, 0), len(clip)))
                left -= len(kept[0])
        if not kept:
            raise SubjectError(f"{seconds:g} s leave no stretch of {MIN_FRAMES} frames to learn from; give more")
        return replace(self, train=tuple(kept))


def of_subject(subject: Subject, features: Sequence[str] = ("logfbank",)) -> Corpus:
    """A prepared subject, split by time."""
    track, fps = subject.track, subject.fps
    rows, share = positions(0, round_half_up(len(track) * FPS / fps), FPS, fps)
    good = track.good
    whole = good[rows] & (good[np.minimum(rows + 1, len(good) - 1)] | (share == 0))
    points, pose = cubic(track.landmarks_px, rows, share), linear(track.pose_rad, rows, share)
    seen = np.where(whole, track.confidence[rows], 0).astype(np.float32)
    n, gap = len(points), _GAP_S * int(FPS)
    tenth = n // 10
    stops = {"test": (n - tenth, n), "validation": (n - 2 * tenth - gap, n - tenth - gap)}
    stops["train"] = (0, n - 2 * tenth - 2 * gap)
    if stops["train"][1] < MIN_FRAMES:
        raise SubjectError(f"{subject.path} is too short for a test of its own; prepare at least 20 s")
    clip = _clip(points, pose, seen, subject.samples, features)
    parts = {name: clip.part(*where) for name, where in stops.items()}
    a, b = stops["test"]
    other = stops["validation"]
    scale = frobenius_scale(points).astype(np.float32)
    shown = parts["validation"]
    cross = Cross(shown.conditions, shown.landmarks, None) if other[1] - other[0] == b - a else None
    test = Test(parts["test"], scale[a:b], subject.samples[640 * a : 640 * b], cross)
    return Corpus(
        subject.path.name, str(subject.info["source"]["sha256"]), (parts["train"],), (parts["validation"],), (test,)
    )


def of_recordings(
    recordings: Callable[[], Iterable[Recording]], name: str, source: str, features: Sequence[str] = ("logfbank",)
) -> Corpus:
    """A set of tracks with its own splits.

    The mean face of every person is moved to the set's, as the statistics of a persona of its own would do; the means
    are of training frames. `recordings` is called twice.
    """
    means: dict[int, list[F32]] = {}
    for r in recordings():
        if r.split == "train":
            means.setdefault(r.person, []).append(_normalised(r.landmarks_px).mean(axis=0))
    if not means:
        raise SubjectError(f"{name} has no training clip; make a longer set")
    person = {who: np.mean(m, axis=0) for who, m in means.items()}
    middle = np.mean(list(person.values()), axis=0)
    found: dict[str, list[MotionClip]] = {"train": [], "validation": []}
    tests: list[Test] = []
    for r in recordings():
        moved = (middle - person.get(r.person, middle)).astype(np.float32)
        clip = _clip(r.landmarks_px, r.pose_rad, r.confidence, r.samples, features, moved)
        if r.split != "test":
            found[r.split].append(clip)
            continue
        scale = frobenius_scale(r.landmarks_px).astype(np.float32)
        tests.append(Test(clip, scale, r.samples, _cross(r, moved)))
    if not found["validation"] or not tests:
        raise SubjectError(f"{name} has no clip to validate or test on; make a set of at least 10 minutes")
    return Corpus(name, source, tuple(found["train"]), tuple(found["validation"]), tuple(tests))


def _cross(r: Recording, moved: F32) -> Cross | None:
    if r.template_px is None or r.template_pose_rad is None:
        return None
    shown = _normalised(r.template_px) + moved
    truth = None if r.template_truth_px is None else targets(_normalised(r.template_truth_px) + moved)
    return Cross(Conditions(r.template_pose_rad.astype(np.float32), cheeks(shown)), targets(shown), truth)


def _normalised(points_px: F32) -> F32:
    """(T, 68, 2) nose-centred, each frame divided by its Frobenius norm."""
    centred = points_px - nose_centre(points_px)[:, None]
    return (centred / frobenius_scale(points_px)[:, None, None]).astype(np.float32)


def _clip(
    points_px: F32, pose: F32, seen: F32, samples: F32, features: Sequence[str], moved: F32 | float = 0.0
) -> MotionClip:
    points = (_normalised(points_px) + moved).astype(np.float32)
    return MotionClip(
        features_of(samples, features, len(points)),
        targets(points),
        Conditions(pose.astype(np.float32), cheeks(points)),
        seen.astype(np.float32),
        float(np.median(frobenius_scale(points_px))),
    )
