"""A persona's renderer and motion model on the engine that was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from lipwright.core.contracts import MotionModel, Renderer
from lipwright.core.progress import Progress
from lipwright.engines.choose import choose
from lipwright.engines.engine import Engine, Engined
from lipwright.engines.running import checked


@dataclass(frozen=True)
class Running:
    """What speaks, ready to be given to `Synthesis`.

    The renderer may be used on several threads at once after `copy.copy`, where its frames do not depend on each
    other (`temporal_inputs`); `threads` says how many each call keeps busy.
    """

    renderer: Renderer
    motion: MotionModel
    engine: str = "none"
    """Of the renderer's network: 'torch', 'openvino' ...; 'none' where it has no network."""
    engines: tuple[Engine, ...] = ()

    @property
    def notes(self) -> list[str]:
        """Why something runs in torch instead, one line each."""
        return list(dict.fromkeys(note for engine in self.engines for note in engine.notes))


def running(renderer: Renderer, motion: MotionModel, asked: str = "auto", progress: Progress | None = None) -> Running:
    """Both parts on an engine; 'auto' measures once on this machine, see `engines.choose`.

    'auto' leaves motion to torch: five minutes of speech cost its network 0.1 to 0.4 s, as much as loading a runtime.
    ConfigError for an unknown engine.
    """
    checked(asked)
    engines = []
    if isinstance(renderer, Engined):
        device = str(getattr(renderer, "device", "cpu")).partition(":")[0]
        engine = choose(asked, renderer.networks()[0], device=device, progress=progress)
        renderer = renderer.on(engine)
        engines.append(engine)
    if isinstance(motion, Engined) and asked != "auto" and motion.networks():
        engine = choose(asked, motion.networks()[0])
        motion = motion.on(engine)
        engines.append(engine)
    name = engines[0].name if isinstance(renderer, Engined) else "none"
    return Running(renderer, motion, name, tuple(engines))


def threads_of(renderer: Renderer) -> int:
    """Threads that drawing one frame keeps busy; 1 where a renderer does not say."""
    return int(getattr(renderer, "threads", 1))
