"""A space as searchers see it: configs <-> points of the unit cube, keys, activity."""

from moopt.space.codec import LONGEST_GRID, Floats, Key, Space, as_space

__all__ = ["LONGEST_GRID", "Floats", "Key", "Space", "as_space"]
