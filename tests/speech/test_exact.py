from __future__ import annotations

from itertools import pairwise

import numpy as np

from lipwright.speech.exact import ExactPhones, label_of
from lipwright.speech.features import FeatureReader
from lipwright.speech.phones import CLASSES
from lipwright.speech.source import array_source
from lipwright.speech.tts import Phone

BILABIAL, SILENCE = list(CLASSES).index("bilabial"), list(CLASSES).index("silence")


def test_labels_of_engines_are_known() -> None:
    assert [label_of(s) for s in ("pau", "ax", "EH1", "m", "zh", "axr", "?")] == [
        "SIL", "AH", "EH", "M", "ZH", "ER", "AH",
    ]  # fmt: skip


def test_a_known_bilabial_fills_its_frames_and_nothing_else() -> None:
    phones = (Phone("aa", 0.0, 10.0), Phone("m", 10.0, 10.16), Phone("iy", 10.16, 12.0))
    source = array_source(np.zeros(12 * 16000, np.float32))
    rows = FeatureReader(source, ["phones", "pauses"], phones=phones).read(0, 400)
    bilabial = rows["phones"][:, BILABIAL]
    # 10 s is the border of two blocks: frames 250 to 253 hold the phone
    np.testing.assert_allclose(bilabial[251:253], 1, atol=0.03)
    assert bilabial[:248].max() == 0
    assert bilabial[256:].max() == 0
    np.testing.assert_allclose(rows["phones"][303:, SILENCE], 1, atol=1e-6)
    np.testing.assert_array_equal(rows["pauses"][:, 1], 1)


def test_a_short_contact_fills_a_frame_wherever_it_falls() -> None:
    source = array_source(np.zeros(32000, np.float32))
    for start in np.arange(1.0, 1.04, 0.005):
        phones = (Phone("aa", 0.0, start), Phone("b", start, start + 0.03), Phone("aa", start + 0.03, 2.0))
        rows = FeatureReader(source, ["phones"], phones=phones).read(0, 50)["phones"]
        assert rows[:, BILABIAL].max() > 0.75
        assert (rows[:, BILABIAL] > 0.05).sum() <= 4


def test_chunks_equal_the_whole() -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.04, 0.2, 120))
    phones = [Phone("mbapfs"[i % 6], float(a), float(b)) for i, (a, b) in enumerate(pairwise(times))]
    reader = FeatureReader(array_source(np.zeros(16000, np.float32)), ["phones"], phones=phones)
    whole = reader.read(0, 300)["phones"]
    np.testing.assert_array_equal(reader.read(243, 20)["phones"], whole[243:263])
    first = ExactPhones(phones).block(array_source(np.zeros(1, np.float32)), 0)
    np.testing.assert_array_equal(first, whole[:250])
