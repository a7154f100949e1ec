"""Drawn heads under test: do the lips obey the speech alone?

A renderer that sees head and speech can learn that heads move mouths, because people nod while they speak. So it is
given silence over a moving head, whose lips must rest, and one speech over two different heads, whose lips must agree
(paper D, Fig. 8, made numbers).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8, FaceTrack, RenderWindow
from lipwright.core.errors import ShapeError
from lipwright.core.ibug import lip_aperture
from lipwright.evaluate.floor import landmark_noise
from lipwright.evaluate.source import MakeTracker
from lipwright.face.track import TrackBuilder
from lipwright.face.tracker import TRACKERS
from lipwright.metrics.landmarks import inter_ocular
from lipwright.metrics.lips import amplitude_ratio, correlation
from lipwright.render.crossmodal.renderer import CrossModalRenderer

LEAST_SEEN = 0.9
"""Share of the drawn heads in which the tracker must find a face; below, lips cannot be read."""


@dataclass(frozen=True)
class HeadTests:
    """Lip apertures of drawn heads; ratios are to the deviation while speaking. nan where no face is found."""

    silence_ratio: float
    """Deviation in silence over a moving head; goal at most 0.10."""
    swap_change: float
    """Root mean square difference of the lips when only the head is another; 0 is the same lips."""
    swap_correlation: float
    """Correlation of these two curves."""
    noise: float
    """What the tracker's noise alone gives as deviation: a floor of `silence_ratio`."""
    lip_correlation: float
    """Of the drawn lips with the real ones of the held-out speech."""
    lip_amplitude: float
    """Deviation of the drawn lips over that of the real ones."""
    faces_found: float
    """Share of the drawn heads with a face."""

    def facts(self) -> dict[str, float | None]:
        """By name, None for nan."""
        return {key: None if np.isnan(value) else round(float(value), 4) for key, value in asdict(self).items()}


def head_tests(
    renderer: CrossModalRenderer,
    heads: FaceTrack,
    others: FaceTrack,
    spoken: F32,
    silent: F32,
    make_tracker: MakeTracker | None = None,
) -> HeadTests:
    """Draw T heads three times and read their lips.

    Args:
        heads: T held-out frames in a row, which spoke `spoken`.
        others: T other frames in a row: another head for the same speech.
        spoken: (T, window, k) what was said in `heads`.
        silent: (T, window, k) silence.
    """
    count = len(heads)
    if {len(others), len(spoken), len(silent)} != {count}:
        raise ShapeError("others, spoken, silent", (count,) * 3, (len(others), len(spoken), len(silent)))

    def lips(of: FaceTrack, said: F32) -> tuple[NDArray[np.float64], FaceTrack]:
        pictures = (picture for picture, _ in renderer.pictures(RenderWindow([], of, said, of)))
        found = tracked(pictures, renderer.config.size, make_tracker)
        return apertures(found), found

    (speaking, seen), (resting, at_rest), (swapped, elsewhere) = (
        lips(of, said) for of, said in ((heads, spoken), (heads, silent), (others, spoken))
    )
    share = float(np.mean([track.present.mean() for track in (seen, at_rest, elsewhere)]))
    nan = float("nan")
    if share < LEAST_SEEN or np.std(speaking) == 0:
        return HeadTests(nan, nan, nan, nan, nan, nan, share)
    real = apertures(heads)
    # The aperture is a mean of three distances, each between two points with noise in two coordinates.
    noise = landmark_noise(at_rest).sigma_px * np.sqrt(2 / 3) / inter_ocular(at_rest.landmarks_px)
    deviation = float(np.std(speaking))
    return HeadTests(
        amplitude_ratio(resting, speaking),
        float(np.sqrt(np.mean((speaking - swapped) ** 2))) / deviation,
        correlation(speaking, swapped),
        float(noise) / deviation,
        correlation(speaking, real),
        amplitude_ratio(speaking, real),
        share,
    )


def apertures(track: FaceTrack) -> NDArray[np.float64]:
    """(T,) lip apertures in eye distances."""
    return lip_aperture(track.landmarks_px) / max(inter_ocular(track.landmarks_px), 1e-6)


def tracked(pictures: Iterable[U8], size: int, make_tracker: MakeTracker | None = None) -> FaceTrack:
    """The face in square pictures of side `size`, in order, as evaluation tracks every video."""
    tracker = make_tracker() if make_tracker else TRACKERS.get("mediapipe")(max_faces=1)
    builder = TrackBuilder((size, size))
    try:
        for picture in pictures:
            builder.add(tracker.detect(picture))
    finally:
        tracker.close()
    return builder.finish()[0]
