"""For people who build presence apps at a desk: a sample tenant to start from."""
