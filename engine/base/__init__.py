"""The ground floor: what everything else stands on, and what knows nothing of runs, tables or models."""
