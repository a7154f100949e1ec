"""Frozen dataclasses as the only configuration: defaults exist once, unknown keys are errors."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, TypeVar

from lipwright.core.errors import ConfigError

C = TypeVar("C")


def to_dict(config: Any) -> dict[str, Any]:
    """A config as JSON-ready values; fractions become strings."""

    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        if isinstance(value, Fraction):
            return str(value)
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        return value

    result: dict[str, Any] = plain(config)
    return result


def from_dict(kind: type[C], data: dict[str, Any]) -> C:
    """Rebuild a config; ConfigError names keys that `kind` does not have and values it cannot take."""
    fields = {f.name for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(data) - fields)
    if unknown:
        raise ConfigError(f"{kind.__name__} has no {', '.join(unknown)}; it has {', '.join(sorted(fields))}")
    hints = typing.get_type_hints(kind)
    try:
        return kind(**{name: _typed(hints[name], value) for name, value in data.items()})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{kind.__name__} cannot be made from {data}: {error}") from error


def _typed(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    for option in typing.get_args(hint) or (hint,):
        if dataclasses.is_dataclass(option) and isinstance(value, dict):
            return from_dict(option, value)  # type: ignore[arg-type]
        if option is Fraction:
            return Fraction(value)
    if typing.get_origin(hint) is tuple:
        return tuple(value)
    return value


def settings(pairs: Iterable[str]) -> dict[str, str]:
    """'NAME=VALUE' texts as a mapping for `with_changes`; ConfigError for one without `=`."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"setting '{pair}' has no value; write NAME=VALUE, for example size=512")
        found[name.strip()] = value.strip()
    return found


def with_changes(config: C, changes: Mapping[str, str]) -> C:
    """`config` with some fields set from text ('512', 'true', 'local'), as a command line gives them.

    ConfigError names a field it does not have, and a text that is no value of the field's type.
    """
    hints = typing.get_type_hints(type(config))
    values: dict[str, Any] = {}
    for name, text in changes.items():
        if name not in hints or hints[name] not in (bool, int, float, str):
            plain = sorted(n for n, kind in hints.items() if kind in (bool, int, float, str))
            raise ConfigError(f"{type(config).__name__} has no setting '{name}'; it has {', '.join(plain)}")
        try:
            values[name] = _TRUTH[text.lower()] if hints[name] is bool else hints[name](text)
        except (KeyError, ValueError) as error:
            raise ConfigError(f"'{text}' is no value of {name}; it takes {hints[name].__name__}") from error
    return dataclasses.replace(config, **values)  # type: ignore[type-var]


_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def config_key(config: Any) -> str:
    """Short stable hash of a config: names caches."""
    return hashlib.sha256(json.dumps(to_dict(config), sort_keys=True).encode()).hexdigest()[:12]
