"""The training loops that numba compiles: whole runs of updates without the interpreter and without its lock.

Arrays of floats are all of one kind, float32 or float64, called T in the docstrings; losses and rates are float64.
"""
