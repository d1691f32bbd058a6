"""What is said about run folders and their files."""

from engine.base.sentence import Sentence, entitle

WEIGHTS_NEED_MEMORY = Sentence(
    "{path} takes {needed:,.1f} GB, and {free:,.1f} GB of memory are free; use a machine with more, or close other "
    "processes."
)

entitle(globals())
