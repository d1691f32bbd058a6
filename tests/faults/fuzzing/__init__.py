"""Files of every kind that the program reads, made worse at random, and everything that reads them.

`python -m tests.faults fuzz` runs it; each file is a case with a number, and a number and a seed make the same file again.
"""
