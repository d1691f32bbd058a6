"""What is said about tables: what is in them, and what is wrong with them."""

from engine.base.sentence import Sentence, entitle

NEEDS_MEMORY = Sentence(
    "{file} unpacks to {needed:,.1f} GB, and {free:,.1f} GB of memory are free; use a part of its rows, or a "
    "machine with more."
)
TEXT_NEEDS_MEMORY = Sentence(
    "{file} unpacks to {needed:,.1f} GB, and {free:,.1f} GB of memory are free; unpack it, and use a part of its rows."
)
ROWS_NEED_MEMORY = Sentence(
    "{file} has some {rows:count} rows, which take {needed:,.1f} GB, and {free:,.1f} GB of memory are free; use a "
    "part of them, or fewer columns."
)

entitle(globals())
