"""`meta-talk`: system C, speech of any voice to the expression of a 3D face, and drawings of that face to pictures.

A morphable face is fitted to the footage; a network says its expression from speech, also of other voices (by pairs of
a teacher); a neural renderer turns drawings of the face into a photoreal lower face, sewn into the template.
The landmark motion is that of `instant`: for the appearance memory, the preview and baseline of every persona.
"""

from __future__ import annotations

from lipwright.motion.config import INSTANT as MOTION
from lipwright.recipes.base import RECIPES, Recipe

META_TALK = RECIPES.add(
    "meta-talk",
    Recipe(
        name="meta-talk",
        summary="a 3D face of the person between speech and picture: any voice, high definition, from minutes",
        source="system C, Meta Talk: pseudo pairs, speech to expression, neural face renderer after AudioDVP",
        motion=MOTION,
        renderer="neural-face",
        motion_share=0.05,
        motion_limit_s=90.0,
        modes=("sewn",),
    ),
)
