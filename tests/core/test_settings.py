from __future__ import annotations

from dataclasses import dataclass

import pytest

from lipwright.core.config import settings, with_changes
from lipwright.core.errors import ConfigError


@dataclass(frozen=True)
class Knobs:
    size: int = 4
    share: float = 0.5
    loud: bool = True
    kind: str = "a"
    many: tuple[int, ...] = ()


def test_texts_become_values_of_the_fields_types() -> None:
    changed = with_changes(Knobs(), settings(["size=8", "share = .25", "loud=no", "kind=b=c"]))
    assert changed == Knobs(8, 0.25, False, "b=c")
    assert with_changes(Knobs(), {}) == Knobs()


@pytest.mark.parametrize(
    ("pairs", "match"),
    [
        (["size"], "write NAME=VALUE"),
        (["colour=red"], "no setting 'colour'; it has kind, loud, share, size"),
        (["many=1"], "no setting 'many'"),
        (["size=2.5"], "'2.5' is no value of size; it takes int"),
        (["loud=maybe"], "'maybe' is no value of loud; it takes bool"),
    ],
)
def test_what_cannot_be_set_is_named(pairs: list[str], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        with_changes(Knobs(), settings(pairs))
