"""`pose-adaptive`: system B, a cascaded TCN with head pose and cheeks, and pix2pixHD with self-attention.

The networks are the paper's; after them phones close the lips on /p b m/ (`motion.lips`), which is ours.
"""

from __future__ import annotations

from dataclasses import replace

from lipwright.motion.config import PAPER
from lipwright.recipes.base import RECIPES, Recipe

POSE_ADAPTIVE = RECIPES.add(
    "pose-adaptive",
    Recipe(
        name="pose-adaptive",
        summary="cascaded TCN with head pose and cheeks; facial maps to pictures with self-attention",
        source="system B, the cascaded TCN paper: audio, head pose and cheeks to landmarks; pix2pixHD with attention",
        motion=replace(PAPER, lips=True),
        renderer="translation",
        motion_share=0.25,
        motion_limit_s=480.0,
    ),
)
