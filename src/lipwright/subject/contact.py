"""A sheet with everybody seen in footage, to choose from by number."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from lipwright.core.contracts import U8
from lipwright.core.errors import ConfigError
from lipwright.core.png import write_png
from lipwright.face.choose import Box, Person
from lipwright.media.store import FrameStore
from lipwright.subject.pieces import Pieces

_CELL = 240
"""Pixels across one person's picture."""
_TEXT = 44
"""Pixels of text below."""
_COLUMNS = 4
_MARGIN = 0.45
"""How much is shown around a face, in face sizes."""
_WHITE = (255, 255, 255)


def write_contact_sheet(path: Path, persons: Sequence[Person], videos: Sequence[Path], pieces: Pieces) -> None:
    """A PNG of all persons in their rank: number, and share of the frames in which they are seen.

    ConfigError for a name that is not .png; OutputError when it cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise ConfigError(f"cannot draw faces into {path}; name it .png")
    cells = [_cell(number, person, videos, pieces) for number, person in enumerate(persons)]
    columns = min(_COLUMNS, len(cells))
    while len(cells) % columns:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.hstack(cells[k : k + columns]) for k in range(0, len(cells), columns)]
    write_png(path, np.vstack(rows))


def _cell(number: int, person: Person, videos: Sequence[Path], pieces: Pieces) -> U8:
    cell = np.zeros((_CELL + _TEXT, _CELL, 3), np.uint8)
    cell[:_CELL] = face_crop(frame_of(videos, pieces, person.best_frame), person.best_box, _CELL)
    cv2.putText(cell, str(number), (10, _CELL + 34), cv2.FONT_HERSHEY_SIMPLEX, 1.2, _WHITE, 2, cv2.LINE_AA)
    words = f"{100 * person.share:.0f} % of the time"
    cv2.putText(cell, words, (60, _CELL + 28), cv2.FONT_HERSHEY_SIMPLEX, 0.55, _WHITE, 1, cv2.LINE_AA)
    return cell


def frame_of(videos: Sequence[Path], pieces: Pieces, frame: int) -> U8:
    """(H, W, 3) frame of the footage out of the piece that holds it."""
    number = bisect_right(pieces.starts, frame) - 1
    return FrameStore(videos[number]).frame(frame - pieces.starts[number])


def face_crop(rgb8: U8, box: Box, side: int) -> U8:
    """(side, side, 3) of a face with some room around it; black where the picture ends."""
    half = (0.5 + _MARGIN) * max(box[2] - box[0], box[3] - box[1], 8.0)
    x, y, edge = round((box[0] + box[2]) / 2 - half), round((box[1] + box[3]) / 2 - half), round(2 * half)
    height, width = rgb8.shape[:2]
    square = np.zeros((edge, edge, 3), np.uint8)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + edge, width), min(y + edge, height)
    if x0 < x1 and y0 < y1:
        square[y0 - y : y1 - y, x0 - x : x1 - x] = rgb8[y0:y1, x0:x1]
    flags = cv2.INTER_AREA if edge > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (side, side), interpolation=flags), np.uint8)
