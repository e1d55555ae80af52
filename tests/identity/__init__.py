"""Who is calling: what may be forged, and what is refused."""
