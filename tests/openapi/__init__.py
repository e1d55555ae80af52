"""Tests of the API as it describes itself."""
