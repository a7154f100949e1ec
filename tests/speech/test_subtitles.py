from __future__ import annotations

import itertools
import re
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lipwright.core.errors import ConfigError, SpeechError
from lipwright.speech.align import align, sounding
from lipwright.speech.forced import number_words
from lipwright.speech.source import array_source
from lipwright.speech.spread import spread
from lipwright.speech.subtitles import Cue, make_cues, to_srt, to_vtt, write_cues
from lipwright.speech.tts import synthesise
from lipwright.speech.tts_espeak import words_of
from lipwright.speech.words import Word, bare_length, clean, times_of, tokens, width

NEWS = (
    'Good evening. The harbour reopened on Thursday, after four days of storms. "We have never seen waves like '
    'that," said Mrs. Pearson, who runs the lifeboat station.\n\nPrices rose by 20 per cent; families queued at the '
    "market until noon. Thank you for watching, and good night."
)
JAPANESE = (
    "吾輩は猫である。名前はまだ無い。どこで生れたか頓と見当がつかぬ。"
    "何でも薄暗いじめじめした所でニャーニャー泣いていた事だけは記憶している。"
)
THAI = "ภาษาไทยเป็นภาษาที่มีระดับเสียงของคำแน่นอนหรือวรรณยุกต์"
KOREAN = "안녕하세요. 오늘의 날씨를 말씀드리겠습니다, 서울은 맑겠습니다."
TEXTS = [NEWS, JAPANESE, THAI, KOREAN, "Hi.", "See https://example.org/" + "a" * 120 + " for more.", "Tom & Jerry <3"]


def evenly(text: str, rate: float = 14.0) -> tuple[Word, ...]:
    """Words that each character takes the same time for."""
    return tuple(Word(t.start, t.stop, t.start / rate, t.stop / rate) for t in tokens(clean(text)))


def parse(text: str, point: str) -> list[tuple[float, float, str]]:
    stamp = rf"(\d\d):(\d\d):(\d\d)\{point}(\d\d\d)"
    found = []
    for block in text.removeprefix("WEBVTT\n\n").rstrip("\n").split("\n\n"):
        lines = block.split("\n")
        at = next(k for k, line in enumerate(lines) if "-->" in line)
        match = re.fullmatch(f"{stamp} --> {stamp}", lines[at])
        assert match, lines[at]
        h, m, s, ms, h2, m2, s2, ms2 = map(int, match.groups())
        found.append(
            (h * 3600 + m * 60 + s + ms / 1000, h2 * 3600 + m2 * 60 + s2 + ms2 / 1000, "\n".join(lines[at + 1 :]))
        )
    return found


@pytest.mark.parametrize("text", TEXTS)
def test_no_letter_is_lost_and_the_limits_hold(text: str) -> None:
    words = evenly(text)
    length = words[-1].end_s + 2
    cues = make_cues(text, words, length)
    shown = "".join(line for cue in cues for line in cue.lines)
    assert "".join(shown.split()) == "".join(text.split())
    for cue in cues:
        assert 1 <= len(cue.lines) <= 2
        assert max(width(line) for line in cue.lines) <= 42
        assert 1.0 - 1e-9 <= cue.end_s - cue.start_s <= 7.0
        assert sum(width(line) for line in cue.lines) / (cue.end_s - cue.start_s) <= 20 or text is JAPANESE
    for before, after in itertools.pairwise(cues):
        assert after.start_s - before.end_s >= 2 / 25 - 1e-9
    assert cues[-1].end_s <= length


def test_cues_end_with_sentences_and_clauses_and_lines_follow_them() -> None:
    cues = make_cues(NEWS, evenly(NEWS), 60)
    ends = [cue.lines[-1][-1] for cue in cues]
    assert all(end in '.,;"' for end in ends), ends
    assert not any(cue.lines[-1].endswith("Mrs.") for cue in cues), "a title is no sentence"
    assert any(cue.lines[-1].endswith("station.") for cue in cues), "a paragraph ends its cue"


def test_a_cue_waits_for_its_words_and_ends_in_a_pause() -> None:
    text = "First we speak of this. Then we speak of that."
    half = bare_length("First we speak of this.")
    words = (Word(0, half, 1.0, 3.0), Word(half, bare_length(text), 8.0, 10.0))
    first, second = make_cues(text, words, 12.0)
    assert (first.start_s, second.start_s) == (1.0, 8.0)
    assert first.end_s == pytest.approx(3.5, abs=0.2)
    assert second.end_s == pytest.approx(10.5, abs=0.2)


def test_tokens_keep_every_character_and_split_scripts_without_spaces() -> None:
    for text in TEXTS:
        pieces = tokens(clean(text))
        assert "".join(t.text for t in pieces) == "".join(text.split())
        assert [t.start for t in pieces[1:]] == [t.stop for t in pieces[:-1]]
    assert [t.text for t in tokens("名前は「猫」だ。")] == ["名", "前", "は", "「猫」", "だ。"]
    assert [t.rest for t in tokens("It is 3.5 km, he said. Yes!")] == [0, 0, 0, 1, 0, 2, 3]
    assert all(t.text[0] not in "ัิีืุูเ้่์็"[:4] for t in tokens(THAI)), "vowel signs stay with their consonant"


def test_times_of_tokens_by_hand() -> None:
    pieces = tokens("one two, three")
    words = (Word(0, 3, 0.0, 0.3), Word(3, 6, 0.5, 0.8), Word(7, 12, 1.0, 1.5))
    assert times_of(pieces, words) == [(0.0, 0.3), (0.5, 0.8), (1.0, 1.5)]
    halves = (Word(0, 12, 0.0, 1.2),)
    assert np.allclose(times_of(pieces, halves), [(0.0, 0.3), (0.3, 0.6), (0.7, 1.2)])


def test_srt_and_vtt_to_the_letter() -> None:
    cues = (Cue(0.0, 1.5, ("Tom & Jerry",)), Cue(3661.0004, 3662.9996, ("a < b", "b --> c")))
    assert to_srt(cues) == (
        "1\n00:00:00,000 --> 00:00:01,500\nTom & Jerry\n\n2\n01:01:01,000 --> 01:01:03,000\na < b\nb → c\n"
    )
    assert to_vtt(cues) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nTom &amp; Jerry\n\n"
        "01:01:01.000 --> 01:01:03.000\na &lt; b\nb --&gt; c\n"
    )


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("ending", ["srt", "vtt"])
def test_files_read_back(text: str, ending: str, tmp_path: Path) -> None:
    cues = make_cues(text, evenly(text), 60)
    path = write_cues(tmp_path / f"out.{ending}", cues)
    raw = path.read_bytes().decode("utf-8")
    unescape = {"&lt;": "<", "&gt;": ">", "&amp;": "&"} if ending == "vtt" else {}
    back = parse(raw, "," if ending == "srt" else ".")
    assert len(back) == len(cues)
    for (start, end, shown), cue in zip(back, cues, strict=True):
        for escaped, plain in unescape.items():
            shown = shown.replace(escaped, plain)
        assert shown == "\n".join(cue.lines)
        assert (start, end) == (pytest.approx(cue.start_s, abs=6e-4), pytest.approx(cue.end_s, abs=6e-4))
    with av.open(str(path)) as container:  # a player's own reader
        stream = container.streams[0]
        packets = [
            (float(p.pts * p.time_base), float(p.duration * p.time_base)) for p in container.demux(stream) if p.size
        ]
    assert np.allclose(packets, [(c.start_s, c.end_s - c.start_s) for c in cues], atol=2e-3)


def test_letters_go_between_pauses() -> None:
    text = "A short one. This is quite a bit longer than that. End."
    stretches = [(0.5, 1.4), (2.0, 5.1), (6.0, 6.4)]
    words = spread(tokens(text), stretches)
    times = dict(zip([t.text for t in tokens(text)], [(w.start_s, w.end_s) for w in words], strict=True))
    assert times["A"][0] == pytest.approx(0.5)
    assert times["one."][1] == pytest.approx(1.4)
    assert times["This"][0] == pytest.approx(2.0)
    assert times["that."][1] == pytest.approx(5.1)
    assert times["End."] == (pytest.approx(6.0), pytest.approx(6.4))


def test_a_pause_inside_a_sentence_does_not_draw_its_end() -> None:
    text = "We waited there for a long time. Nobody came to the door."
    words = spread(tokens(text), [(0.0, 0.9), (1.2, 2.4), (3.0, 4.9)])
    pieces = tokens(text)
    following = next(w for t, w in zip(pieces, words, strict=True) if t.text == "Nobody")
    assert following.start_s == pytest.approx(3.0)


def test_espeak_events_to_words() -> None:
    from lipwright.speech.tts import Phone

    phones = (Phone("ah", 0.0, 0.4), Phone("pau", 0.4, 0.6), Phone("b", 0.6, 1.0))
    events = [(0, 0, 3), (600, 5, 3), (700, 5, 3)]
    assert words_of(events, phones, "one, two.", 1000) == (Word(0, 3, 0.0, 0.4), Word(4, 7, 0.6, 1.0))


def test_numbers_in_words() -> None:
    said = {20: "twenty", 42: "forty two", 305: "three hundred five", 1984: "nineteen eighty four", 0: "zero"}
    assert {k: " ".join(number_words(k)) for k in said} == said
    assert number_words(12_000) == ["twelve", "thousand"]
    assert len(number_words(1_234_567)) == 7


def test_a_text_without_words_is_refused(tmp_path: Path) -> None:
    source = array_source(np.zeros(16000, np.float32))
    with pytest.raises(SpeechError, match="the transcript holds no words"):
        align("— … —", source, 16000)
    with pytest.raises(ConfigError, match=r"name a file that ends in \.srt or \.vtt"):
        write_cues(tmp_path / "a.txt", ())


def test_silence_takes_any_text() -> None:
    aligned = align("Niemand spricht hier.", array_source(np.zeros(48000, np.float32)), 48000)
    assert aligned.method == "letters"
    assert (aligned.words[0].start_s, aligned.words[-1].end_s) == (0.0, 3.0)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng, which tells exact word times")
def test_alignment_and_letters_against_exact_times() -> None:
    speech = synthesise(NEWS, engine="espeak-ng")
    samples = speech.at(16000).samples
    source = array_source(samples)
    pieces = tokens(clean(NEWS))
    assert len(speech.words) >= len(pieces) - 1
    exact = np.array(times_of(pieces, speech.words))
    aligned = align(NEWS, source, len(samples))
    assert aligned.method == "alignment"
    assert np.abs(np.array(times_of(pieces, aligned.words)) - exact).mean() <= 0.06
    parts = align(NEWS, source, len(samples), part_s=(5.0, 10.0))
    assert parts.method == "alignment"
    assert np.abs(np.array(times_of(pieces, parts.words)) - exact).mean() <= 0.06, "long recordings go in parts"
    letters = np.array(times_of(pieces, spread(pieces, sounding(source, len(samples)))))
    assert np.abs(letters - exact).mean() <= 0.25
    starts = [k for k in range(len(pieces)) if k == 0 or pieces[k - 1].rest >= 2]
    assert np.abs(letters - exact)[starts, 0].mean() <= 0.15


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
@pytest.mark.parametrize(
    ("language", "text"), [("de", "Über Straßen: größer als 3,5 km."), ("zh", "你好，世界。今天天气很好！")]
)
def test_other_languages_have_word_times_too(language: str, text: str) -> None:
    speech = synthesise(text, engine="espeak-ng", language=language)
    assert speech.text == text
    assert all(a.stop <= b.start and a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise(speech.words))
    assert speech.words[-1].stop <= bare_length(text)
    cues = make_cues(speech.text, speech.words, float(speech.duration_s), Fraction(25))
    assert "".join("".join(line for c in cues for line in c.lines).split()) == "".join(text.split())
