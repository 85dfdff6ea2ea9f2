"""Errors that more than one way of asking raises."""


class UnknownTraceError(Exception):
    """No span of this trace is in the store."""
