"""The rules of presence: pure functions of (record, request, now), with no clock, socket or store."""
