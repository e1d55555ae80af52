"""A receiver of notifications for people at a desk: what ``presenced listen`` does besides printing."""
