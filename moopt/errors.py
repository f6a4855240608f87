"""What can go wrong, as one tree.

    MooptError
    ├── UsageError (ValueError)       what was given cannot be right: the command line ends with 2
    │   ├── SpaceError                a space or a config
    │   ├── ObjectiveError            an objective or a limit
    │   ├── DataError                 a data file or what it holds
    │   │   └── OtherData             not the data that were searched
    │   └── SpecError                 a study file or an argument of a study
    ├── StoreError                    a store cannot be opened, read or written
    │   ├── StudyNotFound
    │   ├── StudyExists
    │   ├── StudyMismatch             a stored study is not the one that was asked for
    │   └── StudyBusy                 another process writes this study
    ├── SearchFailed                  every one of the first trials failed
    ├── NoTrialLeft                   no trial is complete, or none meets all limits
    ├── ConfirmError                  a study cannot be confirmed
    ├── ExportError                   an export cannot be made
    ├── ConversionFailed              a fitted model has no counterpart on another backend
    ├── MissingExtra (ImportError)    a part that `pip install moopt[...]` brings
    ├── StepTimeout (TimeoutError)    a step ran out of its time
    ├── WorkerDied                    the process that ran a step died
    └── WrongResult                   a step returned something that is no result

    MooptWarning (UserWarning)        something that the user should know and may ignore

Each message is one or two lines: what was given, what was expected, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MooptError(Exception):
    """The root of every error that moopt raises on purpose."""


class UsageError(MooptError, ValueError):
    """What was given cannot be right."""


class SpaceError(UsageError):
    """A space or a config is not valid."""


class ObjectiveError(UsageError):
    """An objective or a limit is not valid."""


class DataError(UsageError):
    """A data file or its content cannot be used."""


class OtherData(DataError):
    """The data are not those that were searched."""


class SpecError(UsageError):
    """A study file, or an argument of a study, is not valid."""


class StoreError(MooptError):
    """A store cannot be opened, read or written."""


class StudyNotFound(StoreError):
    """The store holds no such study."""


class StudyExists(StoreError):
    """The store holds a study of this name already."""


class StudyMismatch(StoreError):
    """The stored study differs from the one that was asked for."""


class StudyBusy(StoreError):
    """Another process writes this study."""


class SearchFailed(MooptError):
    """Every one of the first trials failed, so the search was stopped."""


class NoTrialLeft(MooptError):
    """There is no trial to choose: none is complete, or none meets all limits."""


class ConfirmError(MooptError):
    """A study cannot be confirmed."""


class ExportError(MooptError):
    """An export cannot be made."""


class ConversionFailed(MooptError):
    """A fitted model has no counterpart on another backend."""


class MissingExtra(MooptError, ImportError):
    """A part is missing that an extra of moopt brings."""


class StepTimeout(MooptError, TimeoutError):
    """A step ran out of its time and was killed."""


class WorkerDied(MooptError):
    """The process that ran a step died."""


class WrongResult(MooptError):
    """A step returned something that is no result."""


class MooptWarning(UserWarning):
    """Something that the user should know and may ignore."""


def nearest(given: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` where a known name is near ``given``, else the names themselves."""
    names = list(known)
    close = difflib.get_close_matches(given, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; expected one of: {', '.join(names)}"
