"""What a server costs that tests start and put back (docs/testing.md)."""
