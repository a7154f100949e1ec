"""What rows share: one subject's pictures, oracles, synthetic sets and trained renderers, kept beside the table.

Everything trained lies in the work folder under a key of all that shaped it, so that a later run takes it from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.core.config import config_key, to_dict
from lipwright.core.contracts import F32
from lipwright.core.files import make_folder
from lipwright.motion.model import CascadeMotion
from lipwright.motion.spoken_lips import SpokenLips
from lipwright.motion.window import SpeechWindow
from lipwright.recipes import crossmodal
from lipwright.recipes.crossmodal_bench.rows import Row, Table
from lipwright.recipes.kept import kept, kept_motion
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.pairs import PicturePairs
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.oracle import Oracle
from lipwright.render.oracle.quality import drawing_of
from lipwright.subject.store import Subject
from lipwright.train import crossmodal as stages
from lipwright.train.crossmodal import Drawer, Plan
from lipwright.train.loop import TrainingRecord
from lipwright.train.run import Run

_TEACHER = ("oracle", "oracle_share")
"""Fields that say who draws the synthetic set: two renderers taught by the same one are the same renderer."""


@dataclass
class Workshop:
    """Trains each part once for one subject."""

    subject: Subject
    table: Table
    run: Run

    def __post_init__(self) -> None:
        self._data: CrossModalData | None = None
        self._oracle_data: OracleData | None = None
        self._heard: tuple[Any, F32] | None = None
        self._motion: CascadeMotion | None = None
        self._memory: Drawer | None = None
        self._better: dict[str, tuple[Drawer, dict[str, Any]]] = {}
        make_folder(self.run.work)

    def heard(self, config: CrossModalConfig) -> F32:
        """(T, window, k) what is heard around every frame of the subject; the last one is kept."""
        alike = (config.speech, config.window, config.lips, config.expressions)
        if self._heard is None or self._heard[0] != alike:
            self._heard = alike, crossmodal.heard(self.subject, config, self.lips(config))
        return self._heard[1]

    def lips(self, config: CrossModalConfig) -> SpokenLips | None:
        """Who says the lips of this configuration; the motion model behind it is trained once."""
        if config.lips and self._motion is None:
            self._motion = kept_motion(self.subject, "virtual-human", self.table.budget, self.run)
        return crossmodal.spoken_lips(self.subject, config, self._motion)

    def window(self, config: CrossModalConfig) -> SpeechWindow:
        """The motion model that gives a renderer of this configuration what it hears."""
        return crossmodal.speech_window(config, self.lips(config))

    def forget_heard(self) -> None:
        """Another network stands behind a speech feature of the same name."""
        self._heard = None

    def data(self, config: CrossModalConfig) -> CrossModalData:
        """Pictures of the subject with what this configuration hears; pictures are cut once."""
        if self._data is None or self._data.geometry.size != config.size:
            self._data = crossmodal.crossmodal_data(self.subject, config, self.run.progress, self.lips(config))
        frames = np.concatenate(crossmodal.chosen_frames(self.subject))
        return replace(self._data, speech=self.heard(config)[frames])

    def oracle_data(self, plan: Plan) -> OracleData:
        """The same frames for an oracle."""
        if self._oracle_data is None or self._oracle_data.geometry.size != plan.oracle.size:
            self._oracle_data = crossmodal.oracle_data(self.subject, plan.oracle, self.run.progress)
            self._memory = None  # it draws in the other size
        return self._oracle_data

    def oracle(self, plan: Plan) -> tuple[Oracle, dict[str, Any]]:
        """The oracle of a plan ('chain' or 'single') and how it was trained."""
        key = self._key(to_dict(plan.oracle))

        def fit() -> tuple[Oracle, TrainingRecord]:
            return stages.fit_oracle(plan.oracle, self.oracle_data(plan), self.table.budget, self.run, f"o-{key}")

        return self._kept(f"oracle-{plan.oracle.kind}-{key}", fit, lambda path: Oracle.load(path, self.run.device))

    def drawing(self, plan: Plan) -> tuple[Drawer, dict[str, Any]]:
        """Who draws the synthetic set, and how the oracle was trained that drew it or lost to the memory."""
        data, kind = self.oracle_data(plan), plan.config.oracle
        if kind == "memory":
            return self.memory(data), {"drawn_by": "memory"}
        oracle, facts = self.oracle(plan)
        trained = Drawer(drawing_of(oracle, data), oracle.fingerprint(), plan.oracle.kind)
        if kind != "best":
            return trained, facts | {"drawn_by": trained.name}
        if trained.key not in self._better:
            memory = self.memory(data)
            self._better[trained.key] = stages.better(trained, memory, stages.mouths_of(memory, data), data)
        drawer, judged = self._better[trained.key]
        return drawer, facts | {"drawn_by": drawer.name, "held_out": judged}

    def memory(self, data: OracleData) -> Drawer:
        """The appearance memory as oracle."""
        if self._memory is None:
            self._memory = crossmodal.memory_oracle(self.subject, data, self.run.progress)
        return self._memory

    def pairs(self, plan: Plan) -> tuple[PicturePairs | None, str, dict[str, Any]]:
        """The synthetic set, a key of it, and how its oracle was trained; nothing where a plan has none."""
        if not plan.synthetic:
            return None, "", {}
        drawer, facts = self.drawing(plan)
        count = stages.pairs_of(plan.config, self.table.budget)
        name = f"pairs-{drawer.name}"
        pairs = stages.synthetic_set(drawer.draw, drawer.key, self.oracle_data(plan), count, self.run, name)
        about: dict[str, Any] = {key: facts[key] for key in ("drawn_by", "held_out") if key in facts}
        about |= {"oracle_steps": facts.get("steps"), "oracle_s": facts.get("train_s"), "pairs": count}
        return pairs, drawer.key, about

    def renderer(self, row: Row) -> tuple[CrossModalRenderer, dict[str, Any]]:
        """The trained renderer of a row and how it, and what taught it, were trained."""
        plan = self.table.plan(row)
        pairs, taught, about = self.pairs(plan)
        settings = {name: value for name, value in to_dict(plan.config).items() if name not in _TEACHER}
        key = self._key({**settings, "taught": taught, "kind": row.kind})

        def fit() -> tuple[CrossModalRenderer, TrainingRecord]:
            data = self.data(plan.config)
            return stages.fit_crossmodal(plan.config, data, pairs, self.table.budget, self.run, plan.mode, f"r-{key}")

        load = lambda path: CrossModalRenderer.load(path, self.run.device)  # noqa: E731
        renderer, facts = self._kept(f"renderer-{key}", fit, load)
        return renderer, {**facts, **about}

    def _key(self, settings: dict[str, Any]) -> str:
        return config_key({**settings, "budget": asdict(self.table.budget), "seed": self.table.seed})

    def _kept(
        self, name: str, fit: Callable[[], tuple[Any, TrainingRecord]], load: Callable[[Path], Any]
    ) -> tuple[Any, dict[str, Any]]:
        """See `recipes.kept`; what a part left on its way goes once it is whole."""
        made = kept(self.run.work / f"{name}.safetensors", fit, load, lambda part, file: part.save(file))
        for left in self.run.work.glob(f"{name[0]}-{name.rsplit('-', 1)[1]}*"):
            left.unlink()  # checkpoint and preview
        return made
