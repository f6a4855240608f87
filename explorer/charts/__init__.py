"""The spec of a chart; its data come as datasets.

A spec is written once in Altair and cached, since checking it costs more than everything else of a
page; what changes from one look to the next are the datasets. Fields have fixed plain names, so that
no objective's name can be taken for a path or a formula.
"""

from moopt_explorer.charts.axes import parallel
from moopt_explorer.charts.course import course
from moopt_explorer.charts.duel import duel
from moopt_explorer.charts.effects import along, shares
from moopt_explorer.charts.looks import DARK, LIGHT, SELECTION, Palette
from moopt_explorer.charts.pairs import MOST_IN_MATRIX, matrix
from moopt_explorer.charts.plane import scatter, scatter_spec
from moopt_explorer.charts.rows import dumbbells

__all__ = [
    "DARK",
    "LIGHT",
    "MOST_IN_MATRIX",
    "SELECTION",
    "Palette",
    "along",
    "course",
    "duel",
    "dumbbells",
    "matrix",
    "parallel",
    "scatter",
    "scatter_spec",
    "shares",
]
