"""Protocol `cross`, measured: one result, the face that spoke the audio, and the face that was used.

All three move their heads differently; each frame's mesh is therefore turned to the front by its pose and
laid onto one canonical face by its rigid points (`metrics.frontal`), and only then are mouths compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import FootageError
from lipwright.core.ibug import MOUTH_JAW, lip_aperture
from lipwright.evaluate import curves, rows
from lipwright.evaluate.boxes import mouth_boxes
from lipwright.evaluate.facts import control_tracks, protocol_facts
from lipwright.evaluate.film import Film, NoFilm, film
from lipwright.evaluate.floor import landmark_noise
from lipwright.evaluate.landmarkrows import COLUMNS, PerFrame, distance_row
from lipwright.evaluate.match_part import cutters
from lipwright.evaluate.mouths import MouthCutter
from lipwright.evaluate.papersheet import facial_map
from lipwright.evaluate.result import Evaluation, Row
from lipwright.evaluate.sheet import mouth_strip, triptych
from lipwright.evaluate.source import Scan
from lipwright.evaluate.sync_part import sync_part
from lipwright.evaluate.timerows import time_rows
from lipwright.metrics import landmarks, lips
from lipwright.metrics.bootstrap import block_frames, correlation_interval
from lipwright.metrics.detail import laplacian_energy, sharpness_ratio
from lipwright.metrics.frontal import aligned_pair, frontal_landmarks
from lipwright.metrics.steadiness import noise_distance

SHEET_ROWS, STRIP = 5, 12
"""Moments of the sheet, and mouths in a row."""
COLUMN_NAMES = ("sound source", "template", "result")


@dataclass(frozen=True)
class Cross:
    """The three faces of protocol `cross`, frame by frame in step."""

    made: Scan
    """The result."""
    source: Scan
    """The real face that spoke the audio: the truth of the mouth."""
    template: Scan
    """The real face whose pictures were used: what must not leak."""


def compare_cross(faces: Cross, with_film: bool = False, wanted_px: F32 | None = None) -> Evaluation:
    """Shape, aperture, leak, silence and offset of a result against the face that really spoke.

    `with_film` keeps the three videos side by side; `wanted_px` (T, 29, 2) is the mouth and jaw that was asked for.

    FootageError when the three show a face together in fewer than 4 frames.
    """
    made, source, template = faces.made, faces.source, faces.template
    seen = made.track.present & source.track.present & template.track.present
    if seen.sum() < 4:
        raise FootageError(f"the faces of protocol cross meet in {int(seen.sum())} frames; 4 are needed")
    truth, result = aligned_pair(source.track, made.track)
    tracks = control_tracks(result[seen], truth[seen])
    noise = [landmark_noise(s.track) for s in (source, made)]
    floor = noise_distance(*(n.sigma_px for n in noise))
    eyes = landmarks.inter_ocular(tracks["real"])
    leak = _template_apertures(template, seen)
    scans = {"video": made, "real": source}
    whole = {"video": made.track.landmarks_px, "real": source.track.landmarks_px}
    spoken, notes = rows.speech_rows(whole, scans)
    mouths = cutters(scans)
    if wanted_px is not None and len(wanted_px) < len(made):  # made at another rate
        wanted_px = None
    with film(COLUMN_NAMES, made.fps, made.size, made.samples, with_film) as filmed:
        pictures = _pictures(faces, mouths, wanted_px, filmed)
    sync = sync_part(whole, scans, mouth_boxes(source.track), mouths, None)

    fps = float(made.fps)
    block = block_frames(fps)
    apertures = {name: lip_aperture(tracks[name]) for name in COLUMNS}
    shapes: list[tuple[str, str, str, bool, float]] = [
        ("shape.centred", "mouth shape, turned to the front", "px", True, 1),
        ("shape.centred_eyes", "mouth shape", "eye distances", True, 1 / eyes),
        ("shape.raw", "mouth shape and place", "px", False, 1),
    ]
    table = [
        *(
            distance_row(key, label, unit, tracks, _shape(centred, scale), floor * scale, block)
            for key, label, unit, centred, scale in shapes
        ),
        *rows.lip_rows(tracks, fps),
        Row(
            "lips.template_leak",
            "template leak (aperture)",
            "",
            "zero",
            **{name: lips.template_leak(apertures[name], leak) for name in COLUMNS},
            interval=correlation_interval(apertures["video"], leak, block),
        ),
        Row("mouth.sharpness_ratio", "mouth sharpness to template", "", "one", _sharpness(made, template), 1.0),
        *spoken,
        *sync.rows,
        *time_rows(scans),
    ]
    shown = {"real": truth, "video": result, "template": frontal_landmarks(template.track)}
    lines = (*curves.aperture_curves(shown, fps), *curves.sound_curves(scans), *sync.curves)
    facts = protocol_facts("cross", made, mouth_boxes(template.track)) | sync.facts
    return Evaluation(
        made.clip.name,
        f"{source.clip.name} spoken over {template.clip.name}",
        tuple(table),
        (*notes, *sync.notes),
        facts,
        lines,
        pictures | sync.pictures,
        filmed.mp4,
        sync.details,
    )


def _shape(centred: bool, scale: float) -> PerFrame:
    return lambda real, made: scale * landmarks.landmark_distances(real, made, centred=centred)


def _template_apertures(template: Scan, seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    return lip_aperture(frontal_landmarks(template.track)[seen])


def _sharpness(made: Scan, template: Scan) -> float:
    """Mouth detail of the result over the template's own, in the template's boxes: not the same mouths."""
    boxes = mouth_boxes(template.track)
    energies = [[laplacian_energy(boxes.cut(frame, t)) for t, frame in enumerate(s.frames())] for s in (made, template)]
    return sharpness_ratio(*energies)


def _pictures(
    faces: Cross, cut: Mapping[str, MouthCutter], wanted_px: F32 | None, shown: Film | NoFilm
) -> dict[str, Any]:
    """The papers' sheet at several times, and consecutive mouths of source and result."""
    n = len(faces.made)
    wanted = {round((i + 0.5) * n / SHEET_ROWS) for i in range(SHEET_ROWS)} & set(range(n))
    strip = range(n // 2, min(n, n // 2 + STRIP))
    taken = [cut["real"].tap(faces.source.frames()), faces.template.frames(), cut["video"].tap(faces.made.frames())]
    passing = [shown.tap(i, frames) for i, frames in enumerate(taken)]
    boxes = [mouth_boxes(one.track) for one in (faces.source, faces.template, faces.made)]
    columns: list[list[U8]] = [[], [], [], []]
    mouths: list[list[U8]] = [[], []]
    for t, (source, template, made) in enumerate(zip(*passing, strict=True)):
        if t in wanted:
            track = faces.template.track.landmarks_px[t]
            mouth = wanted_px[t] if wanted_px is not None else _laid_on(faces, t)
            for column, cell in zip(columns, (source, template, facial_map(template, track, mouth), made), strict=True):
                column.append(cell.copy())
        if t in strip:
            mouths[0].append(boxes[0].cut(source, t).copy())
            mouths[1].append(boxes[2].cut(made, t).copy())
    told = "wanted" if wanted_px is not None else "tracked on the result"
    return {
        f"Sound source, template, facial map ({told}), result": triptych(columns),
        "Consecutive mouths: sound source above result": mouth_strip(mouths),
    }


def _laid_on(faces: Cross, t: int) -> F32:
    """(29, 2) mouth and jaw of the result, which shows the template's head and so shares its pixels."""
    return np.asarray(faces.made.track.landmarks_px[t][MOUTH_JAW], np.float32)
