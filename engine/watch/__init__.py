"""Other people's TensorBoard logs: found, followed as they grow, and read faster than they are written.

tree      the folder and its runs
run       one folder of event files: what counts of them
file      one file: read as far as it is whole
bulk      many event records at once
message   one Event message, field by field
curve     the points of one tag, drawable at any width
summary   text, histograms, hyperparameters
export    curves as CSV
"""
