"""The wire: Graph's paths, headers, bodies and errors, one file per resource."""
