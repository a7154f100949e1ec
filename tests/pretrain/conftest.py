from __future__ import annotations

from tests.render.neural_face.conftest import data, filmed

__all__ = ["data", "filmed"]
