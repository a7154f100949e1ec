from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import pytest

from lipwright.core.config import config_key, from_dict, to_dict
from lipwright.core.contracts import MotionInfo, check_pairing
from lipwright.core.errors import ConfigError, PairingError
from lipwright.core.registry import Registry


@dataclass(frozen=True)
class Inner:
    fps: Fraction = Fraction(30000, 1001)


@dataclass(frozen=True)
class Outer:
    sizes: tuple[int, ...] = (1, 2)
    inner: Inner = field(default_factory=Inner)
    name: str | None = None


def test_configs_survive_json() -> None:
    config = Outer((3,), Inner(Fraction(24)), "x")
    assert from_dict(Outer, to_dict(config)) == config
    assert config_key(config) == config_key(from_dict(Outer, to_dict(config)))
    assert config_key(config) != config_key(Outer())


def test_unknown_keys_are_errors() -> None:
    with pytest.raises(ConfigError, match="Outer has no colour; it has inner, name, sizes"):
        from_dict(Outer, {"colour": 1})


def test_registry_lists_what_there_is_and_refuses_doubles() -> None:
    registry: Registry[int] = Registry("renderer")
    registry.add("memory", 1)
    assert registry.get("memory") == 1
    with pytest.raises(ConfigError, match="unknown renderer 'x'; available: memory"):
        registry.get("x")
    with pytest.raises(ConfigError, match="already registered"):
        registry.add("memory", 2)


def test_pairs_are_checked() -> None:
    check_pairing(MotionInfo("landmarks", ("logfbank",)), "landmarks", "r")
    with pytest.raises(PairingError, match="produces visemes"):
        check_pairing(MotionInfo("visemes", ("logfbank",)), "landmarks", "r")
