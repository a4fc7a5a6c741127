"""The HTTP face: an aiohttp daemon built from the operations."""
