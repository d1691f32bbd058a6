"""A person's own Python modules: found, hashed and imported here and nowhere else, and only where they are trusted.

gate       `check` and `fetch` module:function; what a run recorded of its modules, and what has changed
folder     importing from where one stands: for what is asked for and what lies there, and for nobody else
others     installed modules, which a file of the same name does not shadow
content    a module's file and its SHA-256

The folder where one stands is searched first, but a torch.py that somebody put there takes no import of ours or of an
installed package.
"""

from __future__ import annotations

from engine.modules.gate import changed, check, check_changes, fetch, hidden, of_run, used

__all__ = ["changed", "check", "check_changes", "fetch", "hidden", "of_run", "used"]
