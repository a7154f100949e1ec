from __future__ import annotations

from lipwright.face.signs import PeopleSigns

from .footage import Tracked


def test_signatures_stay_small(clip: Tracked) -> None:
    signs = PeopleSigns(25)
    for frame, mesh in zip(clip.frames, clip.dense, strict=True):
        signs.add(frame, [(mesh, 1.0)] if mesh.any() else [])
    piece = signs.arrays()
    kept = sum(piece[name].nbytes for name in ("skin", "scene", "still")) / len(clip.frames)
    assert kept < 2500
