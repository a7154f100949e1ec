"""The program as a process: what it imports, what it leaves on the terminal, how it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
HEAVY = ("torch", "mediapipe", "cv2", "av", "numpy", "scipy", "numba", "matplotlib", "rich")


def start(code: str, cwd: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("LIPWRIGHT_VERBOSE", None)
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code]
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=cwd, env=environment)


def fake(work: str, *arguments: str) -> str:
    """A program whose `prepare` runs `work`."""
    return f"""
import os, sys, time, types
def prepare(*a, **k):
    {work}
module = types.ModuleType("lipwright.subject.prepare")
module.prepare = prepare
sys.modules[module.__name__] = module
from lipwright.cli.main import main
sys.argv = ["lipwright", "prepare", *{list(arguments or ["a.mp4", "-o", "s"])!r}]
main()
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["speak", "--help"], ["nonsense"]])
def test_help_imports_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    code = f"""
import sys
from lipwright.cli.main import run
code = run({arguments!r})
print(code, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    process = start(code, tmp_path)
    _, err = process.communicate(timeout=60)
    assert err.splitlines()[-1] == f"{2 if arguments == ['nonsense'] else 0} []"


def test_ctrl_c_says_what_is_kept(tmp_path: Path) -> None:
    process = start(fake("print('ready', flush=True); time.sleep(60)"), tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "interrupted: what was prepared so far is kept in s; run the same command again to continue\n"
    assert out == ""


def test_ctrl_c_while_still_importing(tmp_path: Path) -> None:
    code = """
import sys, os, signal
class Press:  # Ctrl-C in the middle of the imports
    def find_spec(self, name, path, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Press())
from lipwright.cli.main import main
sys.argv = ["lipwright", "--help"]
main()
"""
    process = start(code, tmp_path)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.count("\n")) == (130, 1)
    assert err.startswith("interrupted: ")


def test_termination_removes_unfinished_files(tmp_path: Path) -> None:
    work = """
    from lipwright.core.files import atomic_file
    with atomic_file(a[1]):
        print('ready', flush=True)
        time.sleep(60)"""
    process = start(fake(work), tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert list(tmp_path.iterdir()) == []


def test_native_chatter_stays_away_but_errors_do_not(tmp_path: Path) -> None:
    chatter = "os.write(2, b'INFO: Created TensorFlow Lite XNNPACK delegate'); sys.stderr.write('ours\\n'); "
    good = start(fake(chatter + "return types.SimpleNamespace(report={}, advice=[])"), tmp_path)
    _, err = good.communicate(timeout=60)
    assert (good.returncode, err) == (0, "ours\n")
    bad = start(fake(chatter + "raise RuntimeError('broken')"), tmp_path)
    _, err = bad.communicate(timeout=60)
    assert bad.returncode == 1
    assert "RuntimeError: broken" in err
    assert "XNNPACK" in err  # after a fault everything is worth seeing


def test_a_native_crash_still_says_where(tmp_path: Path) -> None:
    process = start(fake("os.abort()"), tmp_path)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in err


def test_a_closed_pipe_is_no_fault(tmp_path: Path) -> None:
    process = start(fake("print('x' * 100_000, flush=True); return None", "a.mp4"), tmp_path)
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
