"""Disk and memory that a run will take."""
