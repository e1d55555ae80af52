"""What every store promises, whichever keeps the facts."""
