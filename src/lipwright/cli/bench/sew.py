"""Sewing a rendered face into pictures."""

from __future__ import annotations

from typing import Any

from lipwright.cli.bench.measure import Job, Measure, measure
from lipwright.cli.bench.media import SIZES, scene_of


def run(job: Job) -> list[Measure]:
    """Colour conversion and sewing of a rendered face, beside converting and blending the whole picture."""
    import cv2
    import numpy as np

    from lipwright.compose.paste import paste
    from lipwright.core.contracts import Patch
    from lipwright.media.color import BT709
    from lipwright.media.picture import Picture

    n, found = max(round(job.seconds * 2), 4), []
    for width, height in (*SIZES[1:], (3840, 2160)):
        scene, side = scene_of(width, height), height // 2
        pictures = [Picture.of_rgb8(scene(i), BT709, "yuv420p") for i in range(4)]
        centre = np.array([256 - width / 2, 256 - height / 2])
        turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), 3.0, 512 / side), np.float32)
        turn[:, 2] += centre.astype(np.float32)
        mask = np.zeros((512, 512), np.float32)
        mask[24:488, 24:488] = 1
        patch = Patch(scene(9)[:512, :512], np.asarray(cv2.blur(mask, (31, 31)), np.float32), turn)
        reach = side * 6 // 10  # a renderer reads a little more than its patch covers
        box = (width // 2 - reach, height // 2 - reach, width // 2 + reach, height // 2 + reach)

        def whole(pictures: Any = pictures, patch: Any = patch, size: Any = (width, height)) -> int:
            for i in range(n):
                frame = pictures[i % 4].rgb8()
                there, flags = patch.crop_from_frame, cv2.WARP_INVERSE_MAP
                new = cv2.warpAffine(patch.rgb8, there, size, flags=flags | cv2.INTER_CUBIC).astype(np.float32)
                weight = cv2.warpAffine(patch.mask, there, size, flags=flags | cv2.INTER_LINEAR)[..., None]
                mixed = (frame + weight * (new - frame) + 0.5).astype(np.uint8)
                Picture.of_rgb8(mixed, BT709, "yuv420p")
            return n

        def region(pictures: Any = pictures, patch: Any = patch, box: Any = box) -> int:
            for i in range(n):
                pictures[i % 4].rgb8(box)
                paste(pictures[i % 4], patch)
            return n

        found.append(measure(f"whole picture through RGB {width}x{height}", whole, job.repeats))
        found.append(measure(f"face region only {width}x{height}", region, job.repeats))
    return found
