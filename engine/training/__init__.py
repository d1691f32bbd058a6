"""One run from its recipe to its finished folder, and the thread that drives it."""
