"""Where facts live: a protocol (base.py) and the stores that keep it."""
