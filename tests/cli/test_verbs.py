"""What is typed arrives at the function behind the verb, and its result at the user."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lipwright.cli import assets
from lipwright.cli.main import run
from lipwright.cli.transcript import read_phones
from lipwright.media.writer import EncoderSettings, VideoWriter

Capture = pytest.CaptureFixture[str]


def test_prepare_passes_options_and_shows_report_and_advice(calls: list, capsys: Capture) -> None:
    arguments = ["prepare", "a.mp4", "-o", "s", "--face", "2", "--fps", "29.97", "--trim", "0:10-1:07.5"]
    assert run([*arguments, "--keep-offset"]) == 0
    (args, options), shown = calls[0], capsys.readouterr().out
    assert args == (Path("a.mp4"), Path("s"))
    del options["progress"]
    assert options == {
        "face": 2,
        "box": None,
        "fps": Fraction(30_000, 1001),
        "correct_offset": False,
        "audio_track": None,
        "trim": (10.0, 67.5),
    }
    for line in ("length s      57", "faces: found  0.98", "cuts          3, 9", "in sync       yes"):
        assert line in shown
    assert "- Use a brighter lamp." in shown


def test_prepare_takes_a_box_or_draws_everybody(stand_in: Callable, calls: list, capsys: Capture) -> None:
    assert run(["prepare", "a.mp4", "--box", "10, 20,30.5,40", "--audio-track", "1"]) == 0
    assert calls[0][1]["box"] == (10, 20, 40.5, 60)
    assert calls[0][1]["audio_track"] == 1
    seen: list = []
    stand_in("lipwright.subject.prepare", prepare=None, persons_sheet=lambda *a, **k: seen.append((a, k)) or 3)
    assert run(["prepare", "a.mp4", "-o", "s", "--faces", "who.png", "--trim", "1-9"]) == 0
    ((args, options),) = seen
    assert args == (Path("a.mp4"), Path("s"), Path("who.png"))
    assert options["trim"] == (1, 9)
    shown = capsys.readouterr().out
    assert "3 persons: who.png" in shown
    assert "lipwright prepare a.mp4 -o s --face N" in shown


def test_prepare_json(calls: list, capsys: Capture) -> None:
    assert run(["prepare", "clips/a.mp4", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["subject"] == str(Path("clips/a.subject"))
    assert result["report"]["faces"] == {"found": 0.98}
    assert result["advice"] == ["Use a brighter lamp."]
    assert calls[0][1]["correct_offset"] is True


def test_train_passes_options(stand_in: Callable, capsys: Capture) -> None:
    seen: dict[str, Any] = {}

    def train(subject: Path, **options: Any) -> SimpleNamespace:
        seen.update(options, subject=subject)
        return SimpleNamespace(info={"mode": "sewn"})

    stand_in("lipwright.recipes.train", train=train)
    assert run(["train", "a.subject", "--budget", "3m", "--recipe", "instant", "--resume", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["persona"], told["mode"]) == ("a.persona", "sewn")
    del seen["progress"]
    assert seen == {
        "subject": Path("a.subject"), "out": Path("a.persona"), "recipe": "instant", "preset": "draft",
        "mode": None, "budget": "3m", "resume": True, "device": "auto", "seed": 0, "log_dir": None,
        "mouths": 4500, "template_s": 60, "init": None, "renderer": None, "settings": {},
    }  # fmt: skip


class Talker:
    """A persona that writes grey frames."""

    seen: dict[str, Any]
    knows_phones = False
    engine, notes = "torch", ("motion runs in torch, not in openvino: no",)

    @classmethod
    def load(cls, path: Path, device: str = "cpu") -> Talker:
        talker = cls()
        talker.seen = cls.last = {"path": path, "device": device}
        return talker

    def speak(self, speech: Path | None = None, **options: Any) -> Talker:
        self.seen |= {"speech": speech, **options}
        return self

    def profile(self) -> dict[str, float]:
        return {"motion": 1.5}

    def waits(self) -> dict[str, float]:
        return {"finished frames": 0.25}

    def close(self) -> None:
        self.seen["closed"] = True

    def write_subtitles(self, path: Path, transcript: str | None = None) -> str:
        self.seen.setdefault("subtitles", []).append((path.name, transcript))
        return "letters"

    def write(self, out: Path, settings: EncoderSettings, progress: Any) -> None:
        self.seen["settings"] = settings
        progress.start("speak", 10)
        with VideoWriter(out, (64, 48), Fraction(25), settings) as writer:
            for i in range(10):
                writer.write(np.full((48, 64, 3), 20 * i, np.uint8))
                progress.update(i + 1, "25 fps")
        progress.finish()


def test_speak_writes_and_describes_the_file(
    stand_in: Callable, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in("lipwright.synthesis.speaker", Persona=Talker)
    monkeypatch.setattr(assets, "DEMO_PERSONA", tmp_path)
    out = tmp_path / "o.mp4"
    arguments = [
        "speak",
        "demo",
        "--text",
        "Hallo",
        "--language",
        "de",
        "-o",
        str(out),
        "--crf",
        "20",
        "--json",
    ]
    assert run([*arguments, "--profile", "--threads", "1"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {
        "out": str(out), "width": 64, "height": 48, "fps": "25", "duration_s": 0.4, "frames": 10, "engine": "torch",
        "profile_ms_per_frame": {"motion": 1.5}, "waited_for": {"finished frames": 0.25},
    }  # fmt: skip
    assert shown.err.startswith("speak: done in ")  # no terminal: one line per stage
    assert shown.err.endswith("\nmotion runs in torch, not in openvino: no\n")
    seen = Talker.last  # type: ignore[attr-defined]
    assert seen["path"] == tmp_path
    assert seen["closed"]
    assert (seen["text"], seen["language"], seen["speech"]) == ("Hallo", "de", None)
    assert seen["settings"] == EncoderSettings(crf=20, threads=1)


def test_speak_reads_text_files(stand_in: Callable, capsys: Capture, tmp_path: Path) -> None:
    stand_in("lipwright.synthesis.speaker", Persona=Talker)
    (tmp_path / "t.txt").write_text("Grüße", encoding="utf-8")
    arguments = ["speak", "p", "--text-file", str(tmp_path / "t.txt"), "-o", str(tmp_path / "o.mp4")]
    assert run(arguments) == 0
    assert Talker.last["text"] == "Grüße"  # type: ignore[attr-defined]
    assert "64x48, 25 fps, 0.40 s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], EncoderSettings()),
        (["--codec", "hevc", "--pix-fmt", "yuv420p10le"], EncoderSettings(codec="hevc", pix_fmt="yuv420p10le")),
        (["--size", "128x96", "--bitrate", "200000"], EncoderSettings(size=(128, 96), bitrate=200_000)),
        (["--size", "24p", "--encoder-preset", "fast"], EncoderSettings(size=24, preset="fast")),
    ],
)
def test_the_encoders_options_reach_the_writer(
    stand_in: Callable, tmp_path: Path, options: list[str], expected: EncoderSettings
) -> None:
    stand_in("lipwright.synthesis.speaker", Persona=Talker)
    assert run(["speak", "p", "--text", "Hi", "-o", str(tmp_path / "o.mp4"), *options]) == 0
    assert Talker.last["settings"] == expected  # type: ignore[attr-defined]


def test_speak_writes_subtitles(stand_in: Callable, capsys: Capture, tmp_path: Path) -> None:
    stand_in("lipwright.synthesis.speaker", Persona=Talker)
    (tmp_path / "t.txt").write_text("Grüße", encoding="utf-8")
    out = ["-o", str(tmp_path / "o.mp4")]
    given = ["speak", "p", "a.wav", "--transcript", str(tmp_path / "t.txt"), "--subtitles", "both", *out]
    assert run(given) == 0
    assert Talker.last["transcript"] == "Grüße"  # type: ignore[attr-defined]
    assert Talker.last["subtitles"] == [("o.srt", "Grüße"), ("o.vtt", "Grüße")]  # type: ignore[attr-defined]
    shown = capsys.readouterr()
    assert "o.vtt: times estimated between pauses" in shown.out
    assert "t.txt could not be laid over the sound; the lips follow the sound alone" in shown.err
    assert run(["speak", "p", "--text", "Hallo", "--subtitles", "vtt", "--json", *out]) == 0
    assert Talker.last["subtitles"] == [("o.vtt", None)]  # type: ignore[attr-defined]
    assert json.loads(capsys.readouterr().out)["subtitles"] == {str(tmp_path / "o.vtt"): "letters"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.wav", "--subtitles", "srt"], "give them with --transcript FILE"),
        (["a.wav", "--subtitles", "ass"], "choose srt, vtt or both"),
        (["--text", "Hi", "--alignment", "t.json"], "--transcript and --alignment go with a speech file"),
        (["--text", "Hi", "--transcript", "t.txt", "--subtitles", "srt"], "is its own transcript, leave it out"),
        (["a.wav", "--transcript", "/nowhere/t.txt", "--subtitles", "srt"], "cannot be read as UTF-8 text"),
    ],
)
def test_subtitles_that_cannot_be_made(capsys: Capture, arguments: list[str], said: str) -> None:
    assert run(["speak", "p", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_missing_demo_persona(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(assets, "DEMO_PERSONA", tmp_path / "none")
    assert run(["speak", "demo", "a.wav"]) == 2
    assert "no demo persona" in capsys.readouterr().err


class Scores:
    def to_json(self) -> dict[str, float]:
        return {"offset_ms": 12.0}

    def write_json(self, path: Path) -> None:
        path.write_text(json.dumps(self.to_json()), encoding="utf-8")

    def write_html(self, path: Path) -> None:
        path.write_text("<html>", encoding="utf-8")

    def __str__(self) -> str:
        return "offset 12 ms"


def test_evaluate(stand_in: Callable, capsys: Capture, tmp_path: Path) -> None:
    seen: list[Any] = []
    stand_in("lipwright.evaluate.video", evaluate=lambda *a, **k: seen.append((a, k)) or Scores())
    (tmp_path / "t.txt").write_text("B 0.1 0.2\nAA 0.2 0.4\n", encoding="utf-8")
    files = ["--json", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html")]
    assert run(["evaluate", "v.mp4", "--transcript", str(tmp_path / "t.txt"), *files]) == 0
    assert capsys.readouterr().out == "offset 12 ms\n"
    phones = (("b", 0.1, 0.2), ("aa", 0.2, 0.4))
    assert seen == [((Path("v.mp4"),), {"reference": None, "transcript": phones, "film": True})]
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == {"offset_ms": 12.0}
    assert (tmp_path / "r.html").exists()
    assert run(["evaluate", "v.mp4", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == {"offset_ms": 12.0}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("B 0.1 0.2\nAA 0.2", "holds no phones that can be used (not enough values to unpack"),
        ("", "holds no phones"),
        ('{"text": "x"}', "holds no phones that can be used ('phones' is missing); give a TextGrid"),
        ('[["B", 2, 1]]', "phone B goes from 2 to 1 s"),
    ],
)
def test_transcripts_without_times_are_refused(capsys: Capture, tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "t.txt").write_text(content, encoding="utf-8")
    assert run(["evaluate", "v.mp4", "--transcript", str(tmp_path / "t.txt")]) == 2
    assert words in capsys.readouterr().err


def test_plain_text_and_lse_options_reach_the_evaluation(stand_in: Callable, tmp_path: Path) -> None:
    seen: list[Any] = []
    stand_in("lipwright.evaluate.video", evaluate=lambda *a, **k: seen.append(k) or Scores())
    (tmp_path / "t.txt").write_text("What a lovely day\n", encoding="utf-8")
    options = ["--transcript", str(tmp_path / "t.txt"), "--lse", "both", "--face-boxes", "boxes.npz"]
    assert run(["evaluate", "v.mp4", *options]) == 0
    wanted = {"reference": None, "transcript": "What a lovely day\n", "lse": "both", "face_boxes": Path("boxes.npz")}
    assert seen == [wanted]


def test_several_videos_become_a_comparison_by_their_names(stand_in: Callable, tmp_path: Path, capsys: Capture) -> None:
    seen: list[Any] = []
    stand_in("lipwright.evaluate.comparison", compare_methods=lambda *a: seen.append(a) or Scores())
    html = ["--html", str(tmp_path / "c.html")]
    assert run(["evaluate", "a/ours.mp4", "b/theirs.mp4", "--reference", "r.mp4", *html]) == 0
    [(videos, reference, options)] = seen
    assert list(videos.items()) == [("ours", Path("a/ours.mp4")), ("theirs", Path("b/theirs.mp4"))]
    assert reference == Path("r.mp4")
    assert options.film
    assert (
        run(["evaluate", "a.mp4", "b.mp4", "--reference", "r.mp4", "--name", "A", "--name", "B", "--lse", "both"]) == 0
    )
    assert list(seen[1][0]) == ["A", "B"]
    assert seen[1][2].lse == "both"
    assert not seen[1][2].film


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["a.mp4", "b.mp4"], "2 videos were given without the real one; name it with --reference"),
        (["x/a.mp4", "y/a.mp4", "--reference", "r.mp4"], "two videos are called a"),
        (["a.mp4", "b.mp4", "--reference", "r.mp4", "--name", "A"], "2 videos have 1 names"),
        (["a.mp4", "b.mp4", "--protocol", "self", "--audio", "1-2"], "leave out --protocol, --audio"),
        (["a.mp4", "--source", "s.mp4"], "--source and --template belong together"),
        (["a.mp4", "--source", "s.mp4", "--template", "t.mp4", "--reference", "r.mp4"], "leave out --reference"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: list[str], words: str, capsys: Capture) -> None:
    assert run(["evaluate", *options]) == 2
    assert words in capsys.readouterr().err


def test_source_and_template_are_judged_as_cross(stand_in: Callable, capsys: Capture) -> None:
    seen: list[Any] = []
    stand_in("lipwright.evaluate.protocols", judge_cross=lambda *a, **k: seen.append((a, k)) or Scores())
    stretches = ["--audio", "57-64", "--picture", "0-7"]
    assert run(["evaluate", "m.mp4", "--source", "s.mp4", "--template", "t.mp4", *stretches]) == 0
    [((made, source, template), options)] = seen
    assert (made.path, made.end_s) == (Path("m.mp4"), None)
    assert (source.path, source.start_s, source.end_s) == (Path("s.mp4"), 57, 64)
    assert (template.path, template.start_s, template.end_s) == (Path("t.mp4"), 0, 7)
    assert options == {"film": False}


def test_lse_has_no_place_in_a_protocol(capsys: Capture) -> None:
    assert run(["evaluate", "v.mp4", "--protocol", "self", "--lse", "both"]) == 2
    assert "leave out --reference, --transcript, --lse and --face-boxes" in capsys.readouterr().err


def test_the_presenters_phones_are_a_transcript(tmp_path: Path) -> None:
    written = {"text": "m", "voice": "slt", "phones": [["m", 0.0, 0.125]]}  # as presenter.scene.save_phones
    (tmp_path / "p.json").write_text(json.dumps(written), encoding="utf-8")
    assert read_phones(tmp_path / "p.json") == (("m", 0.0, 0.125),)


def test_recipes(capsys: Capture) -> None:
    assert run(["recipes", "--json"]) == 0
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert found["instant"]["modes"] == ["sewn"]
    assert found["pose-adaptive"]["presets"] == ["draft", "standard", "broadcast"]
    assert run(["recipes"]) == 0
    assert "a persona in about a minute" in capsys.readouterr().out


def test_demo_runs_the_whole_job_once_and_reuses_it(
    stand_in: Callable, calls: list, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lipwright.cli import demo

    class Quick(Talker):
        def write(self, out: Path, progress: Any) -> None:
            super().write(out, EncoderSettings(), progress)

    def train(subject: Any, out: Path, **options: Any) -> Quick:
        out.mkdir(parents=True)
        (out / "persona.json").write_text("{}", encoding="utf-8")
        return Quick.load(out)

    monkeypatch.setattr(demo, "PRESENTER", tmp_path)
    stand_in("lipwright.recipes.train", train=train)
    stand_in("lipwright.synthesis.speaker", Persona=Quick)
    heard: list[Any] = []
    stand_in("lipwright.evaluate.video", evaluate=lambda video, transcript: heard.append(transcript) or Scores())
    spoken = SimpleNamespace(phones=(SimpleNamespace(symbol="g", start_s=0.0, end_s=0.1),))
    monkeypatch.setattr("lipwright.speech.tts.synthesise", lambda text: spoken)
    for _ in range(2):
        assert run(["demo", "-o", str(tmp_path / "d"), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["video"] == str(tmp_path / "d" / "demo.mp4")
    assert len(calls) == 1
    assert heard == [(("g", 0.0, 0.1),)] * 2
    assert {p.name for p in (tmp_path / "d").iterdir()} >= {"demo.mp4", "demo.json", "demo.html"}
