from __future__ import annotations

import numpy as np
import pytest
from tests.presenter.conftest import NAMES, make_speech

from lipwright.presenter.lips import LipGap, energy_gain, frame_times, lip_weights, lips_from_speech
from lipwright.presenter.visemes import BILABIAL, LABIODENTAL, expression_names, phone_symbols, shapes
from lipwright.speech.tts import Phone, Speech

SIDED = ("Dimple", "Frown", "LowerDown", "Press", "Smile", "Stretch", "UpperUp")
WHOLE = ("Close", "Funnel", "Left", "Pucker", "Right", "RollLower", "RollUpper", "ShrugLower", "ShrugUpper")
ICT_MOUTH = (
    {f"mouth{n}_{side}" for n in SIDED for side in "LR"}
    | {f"mouth{n}" for n in WHOLE}
    | {"jawForward", "jawLeft", "jawOpen", "jawRight", "tongueTip"}
)


def gaps_in(phone: Phone, weights: np.ndarray, gap: LipGap) -> np.ndarray:
    times = frame_times(len(weights))
    return gap.of(weights)[(times >= phone.start_s) & (times < phone.end_s)]


def test_every_shape_names_expressions_of_the_model() -> None:
    assert set(expression_names()) <= ICT_MOUTH
    for symbol in phone_symbols():
        for viseme in shapes(symbol):
            assert all(0 <= w <= 1 for w in viseme.weights.values())


def test_both_sides_move_alike() -> None:
    for symbol in phone_symbols():
        for viseme in shapes(symbol):
            for name, value in viseme.weights.items():
                if name.endswith("_L"):
                    assert viseme.weights[f"{name[:-2]}_R"] == value


@pytest.mark.parametrize("phone_s", [0.03, 0.05, 0.09, 0.2])
@pytest.mark.parametrize("phone", sorted(BILABIAL))
def test_lips_meet_in_every_bilabial_however_short(gap: LipGap, phone: str, phone_s: float) -> None:
    text = " ".join(f"aa {phone} ow {phone} iy ae {phone}" for _ in range(8))
    speech = make_speech(text, phone_s)
    weights = lips_from_speech(speech, NAMES, gap)
    times = frame_times(len(weights))
    openings = gap.of(weights)
    for p in speech.phones or ():
        if p.symbol == phone:
            near = np.abs(times - (p.start_s + p.end_s) / 2) <= 0.021  # at least one frame at 25 fps
            assert openings[near].min() < 0.06


def test_closure_is_exact_at_the_apex(gap: LipGap) -> None:
    speech = make_speech("pau aa b aa m aa p aa pau", 0.16)
    weights = lips_from_speech(speech, NAMES, gap)
    for p in speech.phones or ():
        if p.symbol in BILABIAL:
            assert gaps_in(p, weights, gap).min() == pytest.approx(0, abs=1e-5)
        if p.symbol == "aa":
            assert gaps_in(p, weights, gap).max() > 0.6


def test_lips_never_pass_through_each_other(gap: LipGap) -> None:
    rng = np.random.default_rng(0)
    text = " ".join(rng.choice(phone_symbols(), 400))
    assert gap.of(lips_from_speech(make_speech(text, 0.07), NAMES, gap)).min() > -1e-5


def test_labiodentals_leave_room_for_the_teeth_only(gap: LipGap) -> None:
    speech = make_speech("aa f aa v aa", 0.15)
    weights = lips_from_speech(speech, NAMES, gap)
    for p in speech.phones or ():
        if p.symbol in LABIODENTAL:
            assert gaps_in(p, weights, gap).min() == pytest.approx(0.16, abs=0.01)


def test_lips_rest_closed_in_pauses(gap: LipGap) -> None:
    weights = lips_from_speech(make_speech("aa pau aa", 0.6), NAMES, gap)
    times = frame_times(len(weights))
    assert gap.of(weights)[(times > 0.75) & (times < 1.05)].max() < 0.01


def test_short_gaps_between_words_do_not_close_the_mouth(gap: LipGap) -> None:
    weights = lips_from_speech(make_speech("aa pau aa", 0.08), NAMES, gap)
    assert gap.of(weights)[1:5].min() > 0.3


def test_rounding_begins_before_its_vowel(gap: LipGap) -> None:
    speech = make_speech("pau s uw pau", 0.2)
    pucker = lips_from_speech(speech, NAMES, gap)[:, NAMES.index("mouthPucker")]
    times = frame_times(len(pucker))
    before = pucker[(times > 0.29) & (times < 0.4)]
    assert before[-1] > 0.1  # while s still sounds
    assert before[0] < before[-1]
    assert pucker[(times > 0.46) & (times < 0.54)].max() > 0.6


def test_neighbours_change_a_phone(gap: LipGap) -> None:
    stretch = NAMES.index("mouthPucker")
    t_between = [lips_from_speech(make_speech(f"{v} t {v}", 0.1), NAMES, gap)[3, stretch] for v in ("iy", "uw")]
    assert t_between[1] > t_between[0] + 0.2


def test_later_phones_do_not_change_what_is_long_past(gap: LipGap) -> None:
    a = make_speech("aa b iy m ow t s uw", 0.1)
    b = make_speech("aa b iy m ow t s ae", 0.1)
    wa, wb = (lip_weights(s.phones or (), NAMES, gap, 20) for s in (a, b))
    assert np.array_equal(wa[:12], wb[:12])
    assert not np.array_equal(wa, wb)


def test_shifting_the_phones_by_frames_shifts_the_lips(gap: LipGap) -> None:
    phones = make_speech("pau aa b iy m ow pau", 0.12).phones or ()
    late = tuple(Phone(p.symbol, p.start_s + 0.2, p.end_s + 0.2) for p in phones)
    a, b = lip_weights(phones, NAMES, gap, 40), lip_weights(late, NAMES, gap, 45)
    np.testing.assert_allclose(a[4:30], b[9:35], atol=1e-5)


def test_the_same_speech_gives_the_same_bits(gap: LipGap) -> None:
    speech = make_speech("pau dh ax b ih g p ay pau", 0.1)
    assert np.array_equal(lips_from_speech(speech, NAMES, gap), lips_from_speech(speech, NAMES, gap))


def test_no_phones_is_a_face_at_rest(gap: LipGap) -> None:
    weights = lip_weights((), NAMES, gap, 5)
    np.testing.assert_allclose(gap.of(weights), gap.rest_cm)


def test_gain_follows_loudness_but_not_the_recording_level() -> None:
    rng = np.random.default_rng(0)
    loud = np.repeat([0.02, 0.1, 0.4], 16000)
    samples = (rng.normal(size=48000) * loud).astype(np.float32)
    gain = energy_gain(Speech(samples, 16000, None), 75)
    assert gain[12] < gain[37] < gain[62]
    assert gain.min() >= 0.75
    assert gain.max() <= 1.25
    np.testing.assert_allclose(gain, energy_gain(Speech(samples / 8, 16000, None), 75), atol=1e-4)
    np.testing.assert_array_equal(energy_gain(Speech(np.zeros(640, np.float32), 16000, None), 1), 0.75)


def test_unknown_phones_move_the_mouth_a_little() -> None:
    assert shapes("qq9")[0].weights["jawOpen"] == pytest.approx(0.14)
    assert shapes("AA1") == shapes("aa")
