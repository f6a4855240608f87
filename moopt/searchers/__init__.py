"""Searchers: they propose configs and learn from results."""
