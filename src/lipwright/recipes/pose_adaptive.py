"""`pose-adaptive`: system B, a cascaded TCN with head pose and cheeks, and pix2pixHD with self-attention."""

from __future__ import annotations

from lipwright.motion.config import PAPER
from lipwright.recipes.base import RECIPES, Recipe

POSE_ADAPTIVE = RECIPES.add(
    "pose-adaptive",
    Recipe(
        name="pose-adaptive",
        summary="cascaded TCN with head pose and cheeks; facial maps to pictures with self-attention",
        source="system B, the cascaded TCN paper: audio, head pose and cheeks to landmarks; pix2pixHD with attention",
        motion=PAPER,
        renderer="translation",
        motion_share=0.25,
        motion_limit_s=480.0,
    ),
)
