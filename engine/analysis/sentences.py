"""What is said where a model cannot be evaluated."""

from engine.base.sentence import Sentence, entitle

OTHER_TABLE = Sentence(
    "{dataset} is no longer the table that {run} was trained on; put the old table back to evaluate it, or predict the "
    "new one with `ravine predict`."
)

entitle(globals())
