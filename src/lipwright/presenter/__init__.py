"""The computer-graphics presenter: a rendered person with exact ground truth.

`python -m lipwright.presenter --help` makes clips or landmark tracks. From Python, `make.make` does the same
from a `make.Job`, and the parts can be joined freely: `rig.build_rig` (an identity), `speech.tts.synthesise`
(what is said), `motion.head_motion` (how the head moves), `scene.perform` and `scene.combine` (any speech
over any head motion), `render.PresenterRenderer` (pictures).
"""
