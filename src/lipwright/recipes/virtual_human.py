"""`virtual-human`: system D, speech and the upper face to a head in real time.

The renderer hears the speech itself and never sees the template's mouth. A slower oracle, trained first, draws the
speech of one frame on the head of another; from these pictures the renderer learns that heads do not move mouths.
The landmark motion is that of `instant`: for the appearance memory, the preview and baseline of every persona.
"""

from __future__ import annotations

from lipwright.motion.config import INSTANT as MOTION
from lipwright.recipes.base import RECIPES, Recipe

VIRTUAL_HUMAN = RECIPES.add(
    "virtual-human",
    Recipe(
        name="virtual-human",
        summary="speech to pictures in one small network that learns from an oracle; drives whole heads",
        source="system D, the cross-modal paper: visemes and keypoint strokes to pictures, oracle and mashing",
        motion=MOTION,
        renderer="crossmodal",
        motion_share=0.05,
        motion_limit_s=90.0,
    ),
)
