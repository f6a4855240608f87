"""The choose verb: limits and a preference in, a trial and its reason out."""

from moopt.choose.choice import BALANCED, FIRST_WEIGHT, KNEE, PICKED, Choice, choose, pick, robustness
from moopt.choose.front import Front, Points, front_of
from moopt.choose.limits import Relaxation, parse_limits, relaxations
from moopt.choose.swaps import Swap, swaps

__all__ = [
    "BALANCED",
    "FIRST_WEIGHT",
    "KNEE",
    "PICKED",
    "Choice",
    "Front",
    "Points",
    "Relaxation",
    "Swap",
    "choose",
    "front_of",
    "parse_limits",
    "pick",
    "relaxations",
    "robustness",
    "swaps",
]
