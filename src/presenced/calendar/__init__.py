"""Calendars: people's iCalendar files (RFC 5545), and how what is in them gets into their presence."""
