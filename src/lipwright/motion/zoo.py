"""Motion models by name: the papers' systems, their ablations and baselines, each a `MotionConfig`.

An ablation is a configuration of the same networks, never a copy of them: `MOTIONS.get("no-pose")`.
`lipwright bench motion` trains and times them.
"""

from __future__ import annotations

from dataclasses import replace

from lipwright.core.registry import Registry
from lipwright.motion.config import INSTANT, PAPER, MotionConfig

GENERATOR = MotionConfig(network="speech-tcn", pose_in_g1=False, pose_in_g2=False, cheeks=False)
"""System A's generator by itself: the poster's basic TCN."""
ANCHOR = replace(GENERATOR, adversarial=0.01)
"""System A: with its discriminator, half of whose negatives are real mouths over shifted speech."""
LSTM = replace(GENERATOR, network="lstm", width=25, dropout=0.25, context_frames=8)
"""ObamaNet-style: 50 rows of 10 ms, an answer 0.2 s late."""
BILSTM = replace(GENERATOR, network="bilstm", width=256, dropout=0.25, clip_frames=8, context_frames=8, stride=8)
"""Attention over ±8 frames. Every frame has a window of its own, so clips are short and do not overlap."""

LOOKAHEADS_MS = (0, 80, 200, 400)
"""Of the streaming variants, beyond the frame of 40 ms itself."""

MOTIONS: Registry[MotionConfig] = Registry("motion")
MOTIONS.add("pose-adaptive", PAPER)
MOTIONS.add("g1-pose", replace(PAPER, pose_in_g2=False))
MOTIONS.add("g2-pose", replace(PAPER, pose_in_g1=False))
MOTIONS.add("no-pose", replace(PAPER, pose_in_g1=False, pose_in_g2=False))
MOTIONS.add("no-cheek", replace(PAPER, cheeks=False))
MOTIONS.add("news-anchor", ANCHOR)
MOTIONS.add("news-anchor, plain negatives", replace(ANCHOR, shifted=0.0))
MOTIONS.add("basic-tcn", GENERATOR)
MOTIONS.add("lstm", LSTM)
MOTIONS.add("bilstm", BILSTM)
MOTIONS.add("instant", INSTANT)
for _ms in LOOKAHEADS_MS:
    MOTIONS.add(f"pose-adaptive, {_ms} ms", replace(PAPER, causal=True, lookahead=_ms // 40))
