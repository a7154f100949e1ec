"""What a recipe is: the parts of one system and its numbers; the registry of all of them."""

from __future__ import annotations

from dataclasses import dataclass

from lipwright.core.errors import ConfigError
from lipwright.core.registry import Registry
from lipwright.motion.config import MotionConfig

MODES = ("sewn", "full-face")


@dataclass(frozen=True)
class Recipe:
    """One system: which parts, which numbers, whose paper."""

    name: str
    summary: str
    """One line for `lipwright recipes`."""
    source: str
    """The paper it implements, or what it is."""
    motion: MotionConfig
    """The landmark motion and its training; beside it a renderer may hear the speech itself."""
    renderer: str
    """Kind of its own renderer: 'memory', 'translation', 'crossmodal' or 'neural-face'."""
    motion_share: float
    """Part of a time budget that the motion model gets."""
    motion_limit_s: float
    """No more than this helps the motion model; the rest goes to the renderer."""
    presets: tuple[str, ...] = ("draft", "standard", "broadcast")
    """Presets of the renderer."""
    modes: tuple[str, ...] = MODES
    """Where the renderer's picture goes; the first unless another is asked for."""
    settings: tuple[tuple[str, str], ...] = ()
    """Fields of the renderer's configuration that differ from its preset, as text; `--set` changes them again."""

    def check(self, preset: str, mode: str) -> None:
        """ConfigError for a preset or mode this recipe does not have."""
        if preset not in self.presets:
            raise ConfigError(f"recipe '{self.name}' has no preset '{preset}'; available: {', '.join(self.presets)}")
        if mode not in self.modes:
            raise ConfigError(f"recipe '{self.name}' has no mode '{mode}'; available: {', '.join(self.modes)}")


RECIPES: Registry[Recipe] = Registry("recipe", "lipwright.recipes")


def find(name: str) -> Recipe:
    """A recipe by name; ConfigError lists what there is."""
    from lipwright.recipes import instant, meta_talk, news_anchor, pose_adaptive, virtual_human  # noqa: F401  (they register)

    return RECIPES.get(name)


def names() -> list[str]:
    """All recipes, bundled and from entry points."""
    from lipwright.recipes import instant, meta_talk, news_anchor, pose_adaptive, virtual_human  # noqa: F401

    return list(RECIPES)
