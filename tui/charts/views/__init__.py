"""The views of a run, one file each, and the list of them."""
