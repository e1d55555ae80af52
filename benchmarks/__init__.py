"""Benchmarks: what one call costs presenced, beside nginx, a plain FastAPI app and Redis. Run by scripts/bench."""
