"""Phones to curves: numbers worked out by hand, the rules of co-articulation, and closures that never miss a frame."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lipwright.core.errors import ShapeError
from lipwright.speech.channels import CHANNELS, EXAMPLES, INDEX, PLAIN_OF, SEALING, SHAPES, VOWELS, label
from lipwright.speech.curves import sample
from lipwright.speech.gestures import Segment, gestures, known
from lipwright.speech.tts import Phone
from lipwright.speech.visemenet import NAMES, from_visemenet

FRAME_S = 0.04
CONSONANT_OF = {"p": "BP", "b": "BP", "m": "M", "f": "FV", "v": "FV"}


def said(*phones: tuple[str, float], start: float = 1.0) -> list[Phone]:
    """Phones one after the other, (symbol, seconds)."""
    edges = np.cumsum([start, *(length for _, length in phones)]).tolist()
    return [Phone(name, a, b) for (name, _), a, b in zip(phones, edges, edges[1:], strict=False)]


def curves(phones: list[Phone], times: list[float] | np.ndarray, frame_s: float = FRAME_S) -> np.ndarray:
    return sample(gestures(known(phones), frame_s), np.asarray(times, float))[0]


def test_channels_are_those_of_the_paper_in_order() -> None:
    vowels = "Ih Ee Eh Aa U Uh Oo Oh Schwa Eu Ah"
    consonants = "M BP JY Th ShChZh SZ GK LNTD R W FV"
    jawless = "Ya Ja Ra FVa LNTDa Ma BPa Wa Tha GKa"
    assert list(CHANNELS) == f"{vowels} {consonants} {jawless} Jaw Lip".split()
    assert len(CHANNELS) == len(set(CHANNELS)) == 34


def test_every_channel_has_a_phone_and_every_phone_a_channel() -> None:
    used = {c for s in SHAPES.values() for part in (*s.parts, s.between) for c in part}
    assert used == set(CHANNELS) - {"Jaw", "Lip"}
    assert {name for name, s in SHAPES.items() if not s.parts[0]} == {"HH"}
    assert set(EXAMPLES) | set(PLAIN_OF) == set(CHANNELS)
    assert [label(s) for s in ("AH0", "ah", "ax", "IY1", "pau", "", "el")] == [
        "AX",
        "AH",
        "AX",
        "IY",
        "SIL",
        "SIL",
        "L",
    ]


def test_one_vowel_by_hand() -> None:
    """'aa' from 1.0 to 1.2 s: up over 0.12 s before it, full to 75 % (1.15 s), down over 0.12 s; jaw 1, lips 0.14."""
    times = [0.88, 0.91, 0.94, 1.0, 1.07, 1.15, 1.18, 1.21, 1.27]
    quarter = (1 - np.cos(np.pi / 4)) / 2
    wanted = np.array([0, quarter, 0.5, 1, 1, 1, 1 - quarter, 0.5, 0])
    values = curves([Phone("aa", 1.0, 1.2)], times)
    assert_allclose(values[:, INDEX["Ah"]], wanted, atol=1e-12)
    assert_allclose(values[:, INDEX["Jaw"]], wanted, atol=1e-12)
    assert_allclose(values[:, INDEX["Lip"]], 0.14 * wanted, atol=1e-6)
    others = [c for name, c in INDEX.items() if name not in ("Ah", "Jaw", "Lip")]
    assert_array_equal(values[:, others], 0)


def test_a_diphthong_goes_from_its_first_target_to_its_second() -> None:
    """'ay' of 0.4 s: Ah is full to 1.15 s, Ih begins at 1.08 s and is at 0.8 from 1.2 to 1.35 s."""
    values = curves([Phone("ay", 1.0, 1.4)], [1.05, 1.2, 1.3])
    assert_allclose(values[0, [INDEX["Ah"], INDEX["Ih"]]], [1, 0], atol=1e-12)
    assert values[1, INDEX["Ih"]] > values[1, INDEX["Ah"]] > 0
    assert_allclose(values[2, [INDEX["Ah"], INDEX["Ih"]]], [0, 0.8], atol=1e-12)


@pytest.mark.parametrize("fps", [25, 30, 24000 / 1001])
@pytest.mark.parametrize("symbol", "pbmfv")
def test_lips_meet_in_some_frame_wherever_and_however_short(symbol: str, fps: float) -> None:
    frames = (np.arange(60) + 0.5) / fps
    channels = [INDEX[CONSONANT_OF[symbol]], INDEX[CONSONANT_OF[symbol] + "a"]]
    for length in (0.02, 0.04, 0.09):
        for offset in np.arange(0, 1 / fps, 0.0037):
            between = said(("aa", 0.08), (symbol, length), ("iy", 0.08), start=1 + offset)
            after_pause = [Phone(symbol, 1 + offset, 1 + offset + length), Phone("aa", 1 + offset + length, 1.4)]
            in_cluster = said(("s", 0.06), (symbol, length), ("l", 0.05), ("uw", 0.1), start=1 + offset)
            for phones in (between, after_pause, in_cluster):
                values = curves(phones, frames, 1 / fps)
                frame = int(values[:, channels].max(axis=1).argmax())
                assert values[frame, channels].max() == 1
                assert_array_equal(values[frame, [INDEX[v] for v in VOWELS]], 0)
                assert values[frame, INDEX["Lip"]] == 1
                assert values[frame, INDEX["Jaw"]] < 0.35


def test_lips_part_between_two_closures() -> None:
    """The 80 ms vowel of 'bab': closures around it are quick, so it is seen."""
    values = curves(said(("b", 0.06), ("aa", 0.1), ("b", 0.06)), np.arange(1, 1.25, 0.001))
    middle = values[105]
    assert middle[SEALING].max() < 0.1
    assert middle[INDEX["Ah"]] > 0.9


def test_a_consonant_between_vowels_leaves_the_jaw_to_them() -> None:
    times = np.arange(0.9, 1.5, 0.01)
    between = curves(said(("aa", 0.12), ("d", 0.08), ("aa", 0.12)), times)
    last = curves(said(("aa", 0.12), ("d", 0.08)), times)
    assert between[:, INDEX["LNTDa"]].max() == 1
    assert_array_equal(between[:, INDEX["LNTD"]], 0)
    assert last[:, INDEX["LNTD"]].max() == 1
    at = int(np.argmin(np.abs(times - 1.16)))
    assert between[at, INDEX["Jaw"]] > 0.6 > last[at, INDEX["Jaw"]]


def test_the_same_consonant_twice_is_one() -> None:
    double = curves(said(("ih", 0.1), ("s", 0.07), ("s", 0.05), ("iy", 0.1)), np.arange(0.8, 1.6, 0.01))
    single = curves(said(("ih", 0.1), ("s", 0.12), ("iy", 0.1)), np.arange(0.8, 1.6, 0.01))
    assert_allclose(double, single, atol=1e-12)


def test_rounding_begins_with_the_consonants_before_it() -> None:
    """In 'stew' lips round during s and t, in 'stee' nothing spreads that early; no lips of t or s hinder them."""
    at = [0.98]
    round_, spread = (curves(said(("s", 0.1), ("t", 0.08), (v, 0.15)), at)[0] for v in ("uw", "iy"))
    assert round_[INDEX["U"]] > 0
    assert spread[INDEX["Ee"]] == 0
    whole = curves(said(("t", 0.1), ("uw", 0.15)), [1.05])[0]
    assert whole[INDEX["U"]] == 1


def test_sibilants_and_w_take_from_vowels_and_tongues_do_not() -> None:
    with_s, with_t = (curves(said(("aa", 0.2), (c, 0.08), ("aa", 0.2)), [1.22])[0, INDEX["Ah"]] for c in ("s", "t"))
    assert with_s < 0.6 * with_t


def test_h_takes_the_shape_of_the_next_vowel() -> None:
    values = curves(said(("hh", 0.08), ("uw", 0.15)), [1.04])[0]
    assert values[INDEX["U"]] > 0.5
    assert values[[INDEX["GK"], INDEX["GKa"]]].max() == 0


def test_overlapping_vowels_share_the_mouth_and_values_stay_in_range() -> None:
    rng = np.random.default_rng(1)
    names = list(SHAPES)
    phones = said(*((names[rng.integers(len(names))].lower(), rng.uniform(0.02, 0.2)) for _ in range(300)))
    values = curves(phones, np.arange(0, phones[-1].end_s + 1, 0.01))
    assert values.min() >= 0
    assert values.max() <= 1
    assert values[:, [INDEX[v] for v in VOWELS]].sum(axis=1).max() <= 1 + 1e-12


def test_probable_closures_are_full_and_improbable_ones_are_not() -> None:
    def peak(share: float) -> float:
        segments = [Segment(1.0, 1.08, (("AA", 1 - share), ("M", share / 2), ("B", share / 2)))]
        return float(sample(gestures(segments, FRAME_S), np.arange(0.9, 1.2, 0.01))[0][:, SEALING].max())

    assert peak(0.5) == 1
    assert 0 < peak(0.3) < 0.5
    assert peak(0.15) == 0


def test_what_two_phones_share_is_weighted_by_probability() -> None:
    segments = [Segment(1.0, 1.2, (("IY", 0.6), ("EH", 0.4)))]
    values = sample(gestures(segments, FRAME_S), np.array([1.1]))[0][0]
    assert_allclose(values[[INDEX["Ee"], INDEX["Eh"]]], [0.6, 0.4], atol=1e-12)


def test_visemenets_channels_find_their_place() -> None:
    rows = np.tile(np.arange(22) / 22, (9, 1))
    rows[4] = 2.0  # beyond the range
    rows[[1, 2, 3, 5, 6, 7]] = np.nan  # rows between are not read
    ours = from_visemenet(rows)
    assert ours.shape == (3, 34)
    for name, channel in (("Jaw", "Jaw"), ("S", "SZ"), ("MBP", "BP"), ("WA_PEDAL", "W"), ("Schwa", "Schwa")):
        assert_allclose(ours[0, INDEX[channel]], NAMES.index(name) / 22, atol=1e-6)
    absent = [INDEX[c] for c in ("M", "Oo", *PLAIN_OF)]
    assert_array_equal(ours[:, absent], 0)
    assert ours[1].max() == 1
    with pytest.raises(ShapeError, match="22"):
        from_visemenet(rows[:, :20])


def test_the_page_lists_the_channels_of_every_phone() -> None:
    page = (Path(__file__).parents[2] / "docs" / "visemes.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([A-Za-z, ]+) \| ([^|]+) \|", page, re.MULTILINE))
    for name, shape in SHAPES.items():
        for channel in {c for part in shape.parts for c in part}:
            assert re.search(rf"\b{name}\b", rows[channel]), (name, channel)
    jawless = next(key for key in rows if key.startswith("Ya, "))
    assert jawless.split(", ") == [*CHANNELS[22:32]]
