"""Who is calling: token verification, permissions, the local issuer, and the directory of people."""
