"""The renderers' quality table: rows of named overrides, trained alike and scored on held-out frames.

A new row is one more `Row` in `ROWS`; a renderer of another kind is one more entry in `BUILDERS`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lipwright.core.config import from_dict, to_dict
from lipwright.core.contracts import Renderer
from lipwright.core.progress import Silent
from lipwright.evaluate.rendered import Rendered, rendered
from lipwright.recipes.parts import RENDER_FRAMES, fit_translation, remember_training, translation_data
from lipwright.recipes.row import by_name, file_name
from lipwright.render.translation.config import TranslationConfig, changed_preset
from lipwright.render.translation.data import TranslationData
from lipwright.subject.store import Subject
from lipwright.train.loop import Budget
from lipwright.train.run import Run


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of TranslationConfig that differ from the preset."""
    mode: str = "sewn"
    kind: str = "translation"
    """Key of `BUILDERS`."""

    @property
    def file(self) -> str:
        """The name as part of a path."""
        return file_name(self.name)


_NO_JUDGE = {"gan_start": 1.0, "gan_full": 1.0}
"""The discriminators never join: reconstruction alone."""
_BEFORE = {"temporal_inputs": True}
_JUDGED = {"temporal_discriminator": True}
_PLAIN = {"edges": False}

ROWS: tuple[Row, ...] = (
    Row("memory", kind="memory"),
    Row("sewn"),
    Row("sewn, temporal inputs", _BEFORE),
    Row("sewn, temporal discriminator", _JUDGED),
    Row("sewn, no edges", _PLAIN),
    Row("sewn, no edges, temporal inputs", _PLAIN | _BEFORE),
    Row("sewn, no edges, temporal discriminator", _PLAIN | _JUDGED),
    Row("full-face", mode="full-face"),
    Row("full-face, no edges", _PLAIN, mode="full-face"),
    Row("sewn, no attention", {"attention": False}),
    Row("sewn, no mouth discriminator", {"mouth_discriminator": False}),
    Row("sewn, pixel only", _NO_JUDGE | {"laplacian_weight": 0.0}),
    Row("sewn, pixel + laplacian", _NO_JUDGE),
    Row("sewn, pixel + laplacian + discriminator features", {"gan_weight": 0.0}),
    Row("full-face, temporal inputs", _BEFORE, mode="full-face"),
    Row("full-face, temporal discriminator", _JUDGED, mode="full-face"),
    Row("full-face, no edges, temporal inputs", _PLAIN | _BEFORE, mode="full-face"),
    Row("full-face, no edges, temporal discriminator", _PLAIN | _JUDGED, mode="full-face"),
)
"""In the order in which they are run. `sewn` is the preset itself: pixel + laplacian + discriminator features +
adversarial, with edges, attention and mouth discriminator, without time."""


@dataclass(frozen=True)
class Table:
    """How every row is made."""

    preset: str = "draft"
    steps: int = 600
    """Optimisation steps of every trained row."""
    seed: int = 0
    changes: Mapping[str, str] = field(default_factory=dict)
    """Fields of TranslationConfig that differ from the preset in every row, as text (`core.config.with_changes`)."""
    rows: tuple[Row, ...] = ROWS

    def config(self, row: Row) -> TranslationConfig:
        """The preset with the table's changes and then the row's; ConfigError for unknown fields."""
        base = changed_preset(self.preset, row.mode, self.changes)
        return from_dict(TranslationConfig, to_dict(base) | dict(row.changes))


@dataclass(frozen=True)
class Made:
    """A finished row."""

    row: Row
    facts: dict[str, Any]
    """What was changed, steps, seconds of training, best step."""
    result: Rendered


class Workshop:
    """Builds rows for one subject; crops are cut once for rows that look at the same ones."""

    def __init__(self, subject: Subject, table: Table, run: Run) -> None:
        self.subject, self.table, self.run = subject, table, run
        self._crops: tuple[Any, TranslationData] | None = None

    def crops(self, config: TranslationConfig) -> TranslationData:
        """Training data of a configuration; the last one is kept."""
        alike = (config.mode, config.size, config.sample_frames == 1 or len(self.subject) <= RENDER_FRAMES)
        if self._crops is None or self._crops[0] != alike:
            self._crops = None  # two at once would double the memory
            self._crops = (alike, translation_data(self.subject, config, self.run.progress))
        return self._crops[1]


def _translation(row: Row, shop: Workshop) -> tuple[Renderer, dict[str, Any]]:
    config = shop.table.config(row)
    run = replace(shop.run, work=shop.run.work / row.file)
    renderer, record = fit_translation(config, shop.crops(config), Budget(steps=shop.table.steps), run)
    return renderer, {"steps": record.steps, "train_s": round(record.seconds, 1), "best_step": record.best_step}


def _memory(row: Row, shop: Workshop) -> tuple[Renderer, dict[str, Any]]:
    """The appearance memory of the training frames alone: the bar."""
    return remember_training(shop.subject, Silent()), {"steps": 0}


BUILDERS: dict[str, Callable[[Row, Workshop], tuple[Renderer, dict[str, Any]]]] = {
    "translation": _translation,
    "memory": _memory,
}
"""From a row to a renderer and facts about its making."""


def ablate(subject: Subject, table: Table, run: Run, done: Iterable[str] = ()) -> Iterator[Made]:
    """The rows of a table that are not `done` yet, one by one; each goes on from its own checkpoint."""
    shop, finished = Workshop(subject, table, run), set(done)
    for row in table.rows:
        if row.name not in finished:
            renderer, facts = BUILDERS[row.kind](row, shop)
            yield Made(row, {"mode": row.mode, "changes": dict(row.changes), **facts}, rendered(renderer, subject))
            shutil.rmtree(run.work / row.file, ignore_errors=True)  # whoever took the row has written it down


def chosen(names: Iterable[str]) -> tuple[Row, ...]:
    """Rows of `ROWS` by name, in the order given; ConfigError lists what there is."""
    return by_name(names, ROWS)
