"""Load the model file that ships, by the very function that ships with it."""

from moopt.shipped.predict import load_skops as load_model

__all__ = ["load_model"]
