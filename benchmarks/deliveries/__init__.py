"""What it costs to tell subscribers of changes, and how long it takes."""
