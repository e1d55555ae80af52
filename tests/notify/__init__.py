"""Tests of change notifications."""
