"""The choose verb: limits and a preference in, a trial and its reason out."""

from moopt.choose.choice import PICKED, Choice, choose, pick, recommend, robustness
from moopt.choose.front import Front, Points, front_of
from moopt.choose.limits import Relaxation, parse_aspirations, parse_limits, relaxations
from moopt.choose.preference import BALANCED, FIRST_WEIGHT, KNEE, WEIGHTED, parse_weights
from moopt.choose.representatives import representatives
from moopt.choose.swaps import Swap, swaps

__all__ = [
    "BALANCED",
    "FIRST_WEIGHT",
    "KNEE",
    "PICKED",
    "WEIGHTED",
    "Choice",
    "Front",
    "Points",
    "Relaxation",
    "Swap",
    "choose",
    "front_of",
    "parse_aspirations",
    "parse_limits",
    "parse_weights",
    "pick",
    "recommend",
    "relaxations",
    "representatives",
    "robustness",
    "swaps",
]
