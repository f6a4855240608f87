"""The explorer: a study in the browser. It reads stores and never runs a search."""
