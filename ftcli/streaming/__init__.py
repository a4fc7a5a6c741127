"""Streams: the MDDS and BEPS protocols without sockets, connections, and the hub all consumers read."""
