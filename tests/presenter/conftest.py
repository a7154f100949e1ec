from __future__ import annotations

import numpy as np
import pytest

from lipwright.face.ict import IctModel, find_ict, load_ict
from lipwright.presenter.lips import LipGap
from lipwright.presenter.rig import Rig, build_rig, identity_coefficients
from lipwright.presenter.visemes import expression_names
from lipwright.speech.tts import Phone, Speech

NAMES = tuple(expression_names())


def gap_of_names() -> LipGap:
    """A made-up face: jaw and lips open it, mouthClose shuts it."""
    effect = {"jawOpen": 3.0, "mouthFunnel": 1.0, "mouthClose": -3.7, "mouthRollLower": -0.25}
    per = [effect.get(n, 0.3 if n.startswith(("mouthUpperUp", "mouthLowerDown")) else 0.0) for n in NAMES]
    return LipGap(0.05, np.array(per, np.float32), NAMES.index("mouthClose"))


@pytest.fixture
def gap() -> LipGap:
    return gap_of_names()


def make_speech(text: str, phone_s: float = 0.12, rate: int = 16000) -> Speech:
    """Phones of equal length over noise whose loudness follows them; 'pau' is silent."""
    phones = tuple(Phone(s, round(i * phone_s, 6), round((i + 1) * phone_s, 6)) for i, s in enumerate(text.split()))
    rng = np.random.default_rng(1)
    samples = rng.normal(size=int(len(phones) * phone_s * rate)).astype(np.float32) * 0.1
    for p in phones:
        if p.symbol == "pau":
            samples[int(p.start_s * rate) : int(p.end_s * rate)] = 0
    return Speech(samples, rate, phones)


@pytest.fixture(scope="session")
def toy_rig() -> Rig:
    """68 landmarks and two eyeballs of made-up points, with random but fixed expression offsets."""
    rng = np.random.default_rng(3)
    neutral = (rng.normal(size=(80, 3)) * [4, 5, 1] + [0, 0, 9]).astype(np.float32)
    names = (*NAMES, "eyeBlink_L", "browInnerUp_L")
    delta = (rng.normal(size=(len(names), 80, 3)) * 0.1).astype(np.float32)
    top, bottom = [61, 62, 63], [67, 66, 65]
    per = np.zeros(len(names), np.float32)
    per[: len(NAMES)] = gap_of_names().per_weight_cm
    neutral[bottom] = neutral[top] - np.array([0, 0.05, 0], np.float32)
    delta[:, bottom] = delta[:, top]
    delta[:, bottom, 1] -= per[:, None]
    eyes = ((68, 74, neutral[68:74].mean(axis=0)), (74, 80, neutral[74:80].mean(axis=0)))
    return Rig(neutral, delta, names, np.arange(68, dtype=np.int32), np.ones(80, np.float32), eyes)


@pytest.fixture(scope="session")
def ict() -> IctModel:
    if find_ict() is None:
        pytest.skip("the ICT-FaceKit model is not here (it is not part of the repository); set LIPWRIGHT_ICT_MODEL")
    return load_ict()


@pytest.fixture(scope="session")
def rig(ict: IctModel) -> Rig:
    return build_rig(ict, identity_coefficients(5))
