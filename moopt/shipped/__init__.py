"""What an export holds besides words, and what can be checked of it without an engine, a store or a data file."""
