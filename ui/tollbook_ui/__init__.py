"""Surfaces: command line, API, dashboard and report, all answering from `answers.py`."""
