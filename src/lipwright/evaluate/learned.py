"""FID and LPIPS, measured only when the user has brought their weights; they are never replaced by others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core import weights
from lipwright.core.contracts import U8
from lipwright.evaluate.result import Row
from lipwright.metrics.bootstrap import block_frames, mean_interval
from lipwright.metrics.frechet import frechet_distance, frechet_interval

if TYPE_CHECKING:
    from lipwright.metrics.inception import FidInception
    from lipwright.metrics.lpips import Lpips

FID, LPIPS = "fid", "lpips"
FID_AREAS, LPIPS_AREAS = ("face", "full"), ("mouth", "face", "full")


@dataclass
class Learned:
    """Collects features of sampled frames, 'real' and 'video'.

    FID's network costs about 0.1 s of CPU a picture.
    """

    inception: FidInception | None = None
    lpips: Lpips | None = None
    features: dict[tuple[str, str], list[NDArray[Any]]] = field(default_factory=dict)
    distances: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def brought(cls) -> Learned:
        """With whatever weights lie in the models folder; CheckpointError when a file there is broken."""
        found = cls()
        if path := weights.find("fid-inception"):
            from lipwright.metrics.inception import load_inception

            found.inception = load_inception(path)
        backbone, linear = weights.find("alexnet"), weights.find("lpips-alex")
        if backbone and linear:
            from lipwright.metrics.lpips import load_lpips

            found.lpips = load_lpips(backbone, linear)
        return found

    def add(self, real: Mapping[str, U8], video: Mapping[str, U8]) -> None:
        """Take one moment: cut-outs of both videos by area."""
        if self.inception is not None:
            from lipwright.metrics.inception import inception_features

            for area in FID_AREAS:
                for name, cut in (("real", real[area]), ("video", video[area])):
                    self.features.setdefault((area, name), []).append(inception_features(self.inception, [cut])[0])
        if self.lpips is not None:
            from lipwright.metrics.lpips import SMALLEST

            for area in LPIPS_AREAS:
                if min(real[area].shape[:2]) >= SMALLEST:
                    self.distances.setdefault(area, []).append(self.lpips.distance(real[area], video[area]))

    def rows(self, rate_hz: float) -> tuple[list[Row], list[str]]:
        """Rows and notes; `rate_hz` is how often a second `add` was called."""
        rows, notes = [], []
        block = block_frames(rate_hz)
        for area in FID_AREAS:
            if len(self.features.get((area, "real"), [])) < 2:
                continue
            real, video = (np.stack(self.features[area, name]) for name in ("real", "video"))
            value, sure = frechet_distance(real, video), frechet_interval(real, video, block, draws=40)
            rows.append(Row(f"{area}.{FID}", f"{area} FID", "", "lower", value, 0.0, interval=sure))
            if len(real) < 2048:
                notes.append(
                    f"{area} FID is from {len(real)} frames; below 2048 it is biased upwards and not comparable"
                )
        for area, values in self.distances.items():
            sure = mean_interval(np.array(values), block)
            mean = float(np.mean(values))
            rows.append(Row(f"{area}.{LPIPS}", f"{area} LPIPS (AlexNet)", "", "lower", mean, 0.0, interval=sure))
        return rows, notes
