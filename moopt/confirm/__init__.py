"""The confirm verb."""

from moopt.confirm.candidates import Candidate, Role
from moopt.confirm.subject import Subject, subject_of
from moopt.confirm.verb import Options, Report, confirm

__all__ = ["Candidate", "Options", "Report", "Role", "Subject", "confirm", "subject_of"]
