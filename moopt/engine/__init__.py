"""What runs a search: the loop over an executor, and the ledger that keeps searcher and store in step."""
