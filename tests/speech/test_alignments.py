"""Phones with times from files of other programs, and one clear sentence for damaged ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lipwright.cli.assets import ASSETS
from lipwright.core.errors import SpeechError
from lipwright.speech import known_phones
from lipwright.speech.alignments import read_alignment
from lipwright.speech.known_phones import phones_of
from lipwright.speech.source import array_source
from lipwright.speech.tts import Phone

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 0.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 0.5
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "say ""ma"" 2 times"
    item [2]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 0.5
        points: size = 1
        points [1]:
            number = 0.25
            mark = "click"
    item [3]:
        class = "IntervalTier"
        name = "ann - phones"
        xmin = 0
        xmax = 0.5
        intervals: size = 4
        intervals [1]:
            xmin = 0
            xmax = 0.1
            text = ""
        intervals [2]:
            xmin = 0.1
            xmax = 0.2
            text = "M"
        intervals [3]:
            xmin = 0.2
            xmax = 0.4
            text = "AH0"
        intervals [4]:
            xmin = 0.4
            xmax = 5.0e-1
            text = "spn"
"""
SHORT = (
    '"ooTextFile"\n"TextGrid"\n0\n0.6\n<exists>\n1\n"IntervalTier"\n"phones"\n0\n0.6\n2\n0\n0.2\n"tʃ"\n0.2\n0.6\n"aj"\n'
)
RHUBARB_JSON = {
    "metadata": {"duration": 0.5},
    "mouthCues": [{"start": 0, "end": 0.1, "value": "X"}, {"start": 0.1, "end": 0.5, "value": "A"}],
}
RHUBARB_XML = (
    '<?xml version="1.0" encoding="utf-8"?><rhubarbResult><metadata><duration>0.5</duration></metadata><mouthCues>'
    '<mouthCue start="0.00" end="0.20">G</mouthCue><mouthCue start="0.20" end="0.50">D</mouthCue>'
    "</mouthCues></rhubarbResult>"
)


def written(tmp_path: Path, content: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "given.txt"
    path.write_text(content, encoding=encoding)
    return path


@pytest.mark.parametrize(
    ("content", "phones"),
    [
        (LONG, [("pau", 0, 0.1), ("m", 0.1, 0.2), ("ax", 0.2, 0.4), ("pau", 0.4, 0.5)]),
        (SHORT, [("ch", 0, 0.2), ("ay", 0.2, 0.6)]),
        (json.dumps(RHUBARB_JSON), [("pau", 0, 0.1), ("b", 0.1, 0.5)]),
        (RHUBARB_XML, [("f", 0, 0.2), ("aa", 0.2, 0.5)]),
        ("0.00\tX\n0.12\tA\n0.2\tF\n0.5\tX\n", [("pau", 0, 0.12), ("b", 0.12, 0.2), ("uw", 0.2, 0.5)]),
        ('[{"phone": "m", "start": 0.1, "end": 0.2}]', [("m", 0.1, 0.2)]),
        ('{"phones": [["M", 0, 0.1], ["OW1", 0.1, 0.3]]}', [("m", 0, 0.1), ("ow", 0.1, 0.3)]),
        ("b 0.1 0.2\nAA1 0.2 0.4\n", [("b", 0.1, 0.2), ("aa", 0.2, 0.4)]),
        ("ɾ 0 0.1\nts 0.1 0.3\n", [("d", 0, 0.1), ("t", 0.1, 0.2), ("s", 0.2, 0.3)]),
        ("m 0.3 0.5\naa 0.1 0.3\n", [("aa", 0.1, 0.3), ("m", 0.3, 0.5)]),
    ],
    ids=["long", "short-ipa", "rhubarb-json", "rhubarb-xml", "rhubarb-tsv", "json", "rows", "lines", "ipa", "order"],
)
def test_every_form_is_read(tmp_path: Path, content: str, phones: list[tuple[str, float, float]]) -> None:
    found = read_alignment(written(tmp_path, content))
    assert [p.symbol for p in found] == [name for name, _, _ in phones]
    np.testing.assert_allclose([(p.start_s, p.end_s) for p in found], [row[1:] for row in phones], atol=1e-12)


def test_utf16_as_praat_writes_it(tmp_path: Path) -> None:
    assert len(read_alignment(written(tmp_path, LONG, "utf-16"))) == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LONG[:700], "it ends in the middle of a tier"),
        (LONG.replace("phones", "sounds"), "no tier is called 'phones'; it has words, ann - sounds"),
        (LONG.replace("xmax = 0.2", "xmax = much"), "stands where a number was expected"),
        ("<rhubarbResult><mouthCues>", "it is no whole XML"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", "defines entities"),
        (RHUBARB_XML.replace(">G<", ">Q<"), "mouth 'Q' is none of A to H and X"),
        ('{"mouthCues": [{"start": 0, "value": "A"}]}', "'end' is missing"),
        ('[{"phone": "m", "start": 0}]', "'end' is missing"),
        ('[["m", 0', "holds no phones that can be used"),
        ("[]", "holds no phones;"),
        ("", "holds no phones;"),
        ("Good evening, everybody.", "holds no phones with times; give a TextGrid"),
        ('[["m", 0.2, 0.1]]', "phone m goes from 0.2 to 0.1 s; correct its times"),
        ('[["m", 0, NaN]]', "phone m goes from 0 to nan s"),
        ("m 0 1\nb 0.5 2", "phone b begins at 0.5 s, before the one in front of it ends"),
        ("m 0 0.1\n§ 0.1 0.2", "'§' at 0.10 s is neither ARPAbet nor IPA"),
    ],
)
def test_damaged_files_are_refused_in_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(SpeechError) as caught:
        read_alignment(path)
    message = str(caught.value)
    assert said in message
    assert str(path) in message
    assert "\n" not in message


def test_files_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\x80\x81")
    with pytest.raises(SpeechError, match="cannot be read as UTF-8 text"):
        read_alignment(tmp_path / "x")
    with pytest.raises(SpeechError, match="cannot be read"):
        read_alignment(tmp_path / "absent.TextGrid")


def test_the_presenters_phones_are_an_alignment() -> None:
    found = read_alignment(ASSETS / "presenter_phones.json")
    assert len(found) > 400
    assert {p.symbol for p in found} >= {"pau", "m", "b", "p", "iy"}


SILENT = array_source(np.zeros(16000, np.float32))


def test_an_alignment_goes_before_a_transcript(tmp_path: Path) -> None:
    path = written(tmp_path, "m 0.1 0.2\n")
    assert phones_of(SILENT, 16000, "Grüße an alle", path) == [Phone("m", 0.1, 0.2)]
    assert phones_of(SILENT, 16000, None, [Phone("b", 0.0, 0.1)]) == [Phone("b", 0.0, 0.1)]
    assert phones_of(SILENT, 16000) is None


def test_languages_go_their_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_phones, "phone_times", lambda text, source, n: (("B", 0.0, 0.1),))
    assert phones_of(SILENT, 16000, "a bird is in the garden") == [Phone("b", 0.0, 0.1)]
    assert phones_of(SILENT, 16000, "whatever", language="en-gb") == [Phone("b", 0.0, 0.1)]
    assert phones_of(SILENT, 16000, "Schöne Grüße aus Köln") is None
    seen: list[object] = []
    monkeypatch.setattr("lipwright.speech.phonemise.phonemise", lambda *a: seen.append(a) or [["m", "aa"]])
    monkeypatch.setattr("lipwright.speech.align_phones.align_phones", lambda *a: seen.append(a) or [Phone("m", 0, 1)])
    assert phones_of(SILENT, 16000, "Schöne Grüße", language="de") == [Phone("m", 0, 1)]
    assert seen == [("Schöne Grüße", "de"), (SILENT, 16000, [["m", "aa"]])]
