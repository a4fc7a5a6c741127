"""The token of BEPS (protocol 05 §7.9); the reading of it is shared with the operation that fetches it."""

from ftcli.models.event_token import TOKEN_PATHS, read_token, token_expiry

__all__ = ["TOKEN_PATHS", "read_token", "token_expiry"]
