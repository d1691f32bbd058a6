"""The one way the engine says that something given to it cannot be used."""

from __future__ import annotations


class InputError(Exception):
    """Bad input, told in one sentence: the thing, the place (file, row, column, field) and the remedy.

    The command line prints it and exits with 2; the app shows it as a notification. Nothing else of the
    engine's is meant to be read by a person without a traceback.
    """


class Cancelled(Exception):
    """Work was given up because the person asked for it."""
