"""The peers: presenced, and the servers it is compared with. Each answers the same question with the same data."""
