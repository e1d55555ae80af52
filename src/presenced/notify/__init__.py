"""Telling subscribers what changed: subscriptions, what they match, and the calls to their webhooks."""
