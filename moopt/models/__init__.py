"""Model families: what is searched of each, and how a config becomes a scikit-learn pipeline."""
