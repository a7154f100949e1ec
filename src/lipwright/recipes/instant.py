"""`instant`: a persona in about a minute of training. Ours, not from a paper.

Voice-independent speech features, a cascade whose mouth shape comes from speech alone and whose place comes
from head pose and cheeks, and the appearance memory as renderer.
"""

from __future__ import annotations

from lipwright.motion.config import INSTANT as MOTION
from lipwright.recipes.base import RECIPES, Recipe

INSTANT = RECIPES.add(
    "instant",
    Recipe(
        name="instant",
        summary="a persona in about a minute: speech-only shapes, remembered mouths",
        source="lipwright's own",
        motion=MOTION,
        renderer="memory",
        motion_share=0.8,
        motion_limit_s=90.0,
        presets=("draft",),
        modes=("sewn",),
    ),
)
