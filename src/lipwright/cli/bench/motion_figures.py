"""What `bench motion` learns from, and pictures of the paper's figures drawn with its trained models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.core.png import write_png

if TYPE_CHECKING:
    from lipwright.recipes.motion_table.corpus import Corpus


def corpus_of(path: Path) -> Corpus:
    """A prepared subject, or a set of landmark tracks."""
    from lipwright.presenter.tracks import is_tracks, read_list, read_tracks
    from lipwright.recipes.motion_table.corpus import Recording, of_recordings, of_subject
    from lipwright.subject.store import Subject

    if not is_tracks(path):
        return of_subject(Subject.open(path))
    import numpy as np

    def recordings() -> Any:
        for c in read_tracks(path):
            yield Recording(
                c.landmarks_px, c.pose_rad, np.ones(len(c.landmarks_px), np.float32), c.samples, c.split, c.person,
                c.template_landmarks_px, c.cross_pose_rad, c.cross_landmarks_px,
            )  # fmt: skip

    source = hashlib.sha256(json.dumps(read_list(path), sort_keys=True).encode()).hexdigest()
    return of_recordings(recordings, path.resolve().name, source)


def models_folder(file: Path, subject: str) -> Path:
    """Where the trained models of a table lie."""
    return file.with_suffix(".models") / subject


def draw(subjects: Sequence[Path], file: Path) -> Iterator[Path]:
    """Figures 4a, 4b and 3c of the models of seed 0, beside the table; only those whose models are there."""
    from lipwright.motion.model import CascadeMotion
    from lipwright.recipes.motion_table.figures import compared, three_jaws

    for path in subjects:
        corpus = corpus_of(path)
        folder = models_folder(file, corpus.name)
        kept = {p.stem.removesuffix("-0"): p for p in folder.glob("*-0.safetensors")}
        if "ours" not in kept:
            continue
        ours, test = CascadeMotion.load(kept["ours"]), corpus.tests[0]
        pictures = {"fig3c-three-jaws": three_jaws(ours, test)}
        for figure, row, turned in (("fig4a-no-pose", "no-pose", 20.0), ("fig4b-no-cheek", "no-cheek", 0.0)):
            if row in kept and (abs(test.clip.conditions.pose_rad[:, 1]) >= turned * 0.01745).any():
                pictures[figure] = compared(ours, CascadeMotion.load(kept[row]), test, turned)
        place = file.with_suffix(".pictures") / corpus.name
        for figure, picture in pictures.items():
            write_png(place / f"{figure}.png", picture)
            yield place / f"{figure}.png"
