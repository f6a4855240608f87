"""The backends: what else than scikit-learn can run a fitted model, and how it gets there."""
