"""The appearance memory as oracle (an ablation, labelled as such): remembered mouths in the real heads of frames.

Heads are real, so nothing of them is learnt; mouths are as sharp as the footage, but only those that were seen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8, Patch, RenderWindow
from lipwright.core.ibug import MOUTH_JAW
from lipwright.face.align import apply, invert
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.render.oracle.data import OracleData
from lipwright.render.translation.crop import sample_crop


class MemoryOracle:
    """Draws what the memory would show at wanted keypoints.

    Args:
        renderer: a memory of the training frames alone, or held-out figures flatter.
        frame: the (H, W, 3) picture of a place in the data.
        data: the person.
    """

    def __init__(self, renderer: MemoryRenderer, frame: Callable[[int], U8], data: OracleData) -> None:
        self._renderer, self._frame, self._data = renderer, frame, data

    def pictures(self, landmarks: F32, frames: NDArray[np.int64]) -> tuple[U8, U8]:
        """Heads (B, S, S, 3) and mouths (B, M, M, 3) at their own size; as `quality.Draw`."""
        drawn = [self._drawn(points, int(j)) for points, j in zip(landmarks, frames, strict=True)]
        heads, mouths = zip(*drawn, strict=True)
        return np.stack(heads), np.stack(mouths)

    def _drawn(self, landmarks: F32, j: int) -> tuple[U8, U8]:
        geometry, size = self._data.geometry, self._data.mouth_size
        track = self._data.track[j : j + 1]
        head_map = geometry.head_maps(track.landmarks_px)[0]
        wanted = apply(invert(head_map), landmarks[MOUTH_JAW])
        frame = self._frame(j)
        self._renderer.reset()
        patch = next(iter(self._renderer.render(RenderWindow([frame], track, wanted[None], track))))
        shown = _put(frame, patch)
        mouth_map = geometry.mouth_maps(track.landmarks_px, size)[0]
        return sample_crop(shown, head_map, geometry.size), sample_crop(shown, mouth_map, size)


def _put(frame: U8, patch: Patch) -> U8:
    """A patch of the memory, which lies on whole pixels, in its frame."""
    x, y = (-int(v) for v in patch.crop_from_frame[:, 2])
    height, width = frame.shape[:2]
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + patch.rgb8.shape[1], width), min(y + patch.rgb8.shape[0], height)
    inside = np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
    result, weight = frame.copy(), patch.mask[inside][..., None]
    old = result[y0:y1, x0:x1].astype(np.float32)
    result[y0:y1, x0:x1] = np.clip(old + weight * (patch.rgb8[inside] - old) + 0.5, 0, 255).astype(np.uint8)
    return result
