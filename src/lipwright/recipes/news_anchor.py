"""`news-anchor`: system A, speech to a mouth that is placed into the face, and whole heads from facial maps.

A TCN generator that was trained against a TCN discriminator hears the speech and says the mouth's shape; the template's
head pose and cheeks say where it goes (`motion.location`, the poster's "face template"). The facial map holds these
lines and the Canny edges of the target frame, and pix2pixHD's hierarchical generator draws the head from it. That
phones close the lips on /p b m/ and bring the mouth to rest in silence is ours.
"""

from __future__ import annotations

from dataclasses import replace

from lipwright.motion.zoo import ANCHOR
from lipwright.recipes.base import RECIPES, Recipe

NEWS_ANCHOR = RECIPES.add(
    "news-anchor",
    Recipe(
        name="news-anchor",
        summary="adversarial TCN from speech to the mouth; whole heads from facial maps, coarse to fine",
        source="system A, the news-anchor poster: TCN generator and discriminator; hierarchical pix2pixHD, Canny edges",
        motion=replace(ANCHOR, separate=True, condition_smoothing_s=0.3, leak_penalty=1.0, lips=True),
        renderer="translation",
        motion_share=0.25,
        motion_limit_s=480.0,
        modes=("full-face", "sewn"),
        settings=(("generator", "local"), ("attention", "false")),
    ),
)
