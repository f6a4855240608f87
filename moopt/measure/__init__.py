"""What a fitted model is scored on: quality, latency, size."""
