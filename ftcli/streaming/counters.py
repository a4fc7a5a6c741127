"""Counts of the oddities a stream meets: nothing strange is an error, and nothing strange goes unseen."""

from collections import Counter


class Oddities(Counter[str]):
    """Name of an oddity → how often it was met. Shown by ``ft stream status`` and as metrics.

    Names in use: ``malformed_frames``, ``unknown_response_types``, ``unexpected_items``, ``foreign_items``,
    ``empty_values``, ``unreadable_values``, ``full_deltas``, ``unbound_errors``, ``failing_sinks`` ...
    """
