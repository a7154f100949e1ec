"""Every error a user can meet, in one tree.

Each class also inherits the builtin a caller would expect to catch. A message says what is wrong, where
(file, frame, time), what was expected and what was found, and the next step; the command line prints it
as one sentence and leaves with exit code 2.

LipwrightError
├── FootageError (ValueError)      a video or audio file cannot be used
├── SubjectError (ValueError)      a prepared subject is missing, foreign or too small
├── PersonaError (ValueError)      a persona folder is damaged, foreign or newer than this version
├── CheckpointError (ValueError)   weights do not fit their description
├── ConfigError (ValueError)       an unknown name, option or value
├── PairingError (TypeError)       parts of a recipe that do not fit each other
├── ShapeError (ValueError)        an array of the wrong shape
├── SpeechError (ValueError)       speech that cannot be read or synthesised
├── DependencyError (ImportError)  an optional program or package is not installed
└── OutputError (OSError)          a result cannot be written
"""

from __future__ import annotations


class LipwrightError(Exception):
    """Root of all errors raised on purpose."""


class FootageError(LipwrightError, ValueError):
    """A video or audio file cannot be used as it is."""


class SubjectError(LipwrightError, ValueError):
    """A prepared subject is missing, foreign or too small."""


class PersonaError(LipwrightError, ValueError):
    """A persona folder is damaged, foreign or newer than this version."""


class CheckpointError(LipwrightError, ValueError):
    """Weights do not fit their description."""


class ConfigError(LipwrightError, ValueError):
    """An unknown name, option or value."""


class PairingError(LipwrightError, TypeError):
    """Parts of a recipe that do not fit each other."""


class SpeechError(LipwrightError, ValueError):
    """Speech that cannot be read or synthesised."""


class DependencyError(LipwrightError, ImportError):
    """An optional program or package is not installed."""


class OutputError(LipwrightError, OSError):
    """A result cannot be written."""


class ShapeError(LipwrightError, ValueError):
    """An array of the wrong shape; carries `expected` and `actual`."""

    def __init__(self, name: str, expected: tuple[object, ...], actual: tuple[int, ...]) -> None:
        super().__init__(f"{name}: expected shape {expected}, got {actual}")
        self.expected = expected
        self.actual = actual
