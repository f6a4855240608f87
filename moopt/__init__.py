"""Multi-objective hyperparameter optimisation: from trade-offs to one configuration that you can defend."""
