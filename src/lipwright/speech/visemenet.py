"""VisemeNet's public set of 22 channels at 100 Hz as ours of 34 at 25.

Order of the set: Jaw, Lip, then 20 visemes (the cross-modal paper reads every fourth row). Channels it does not have
stay zero: its MBP, FV and WA_PEDAL keep nasals and jawless variants together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError
from lipwright.speech.channels import CHANNELS, INDEX

NAMES = (
    "Jaw", "Lip", "Ah", "Aa", "Eh", "Ee", "Ih", "Oh", "Uh", "U", "Eu", "Schwa", "R", "S", "ShChZh", "Th", "JY", "LNTD",
    "GK", "MBP", "FV", "WA_PEDAL",
)  # fmt: skip
_OURS = {"S": "SZ", "MBP": "BP", "WA_PEDAL": "W"}
_STEP = 4


def from_visemenet(rows: NDArray[Any]) -> F32:
    """(N, 22) values at 100 Hz to (ceil(N / 4), 34) at 25: every fourth row from the first, clipped to [0, 1].

    ShapeError for another number of channels.
    """
    given = np.asarray(rows)
    if given.ndim != 2 or given.shape[1] != len(NAMES):
        raise ShapeError("rows", ("N", len(NAMES)), given.shape)
    out = np.zeros((len(given[::_STEP]), len(CHANNELS)), np.float32)
    out[:, [INDEX[_OURS.get(name, name)] for name in NAMES]] = given[::_STEP]
    return np.clip(out, 0, 1)
