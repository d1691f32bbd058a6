"""Files of every kind that the program reads, made worse at random, and everything that reads them.

`python -m tests.faults fuzz` runs it. Each file is a case with a number; a number and a seed make the same file again.
"""
