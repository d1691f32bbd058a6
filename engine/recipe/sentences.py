"""What is said of the choices of a run."""

from engine.base.sentence import Sentence, entitle

DOES_NOT_APPLY = Sentence("{choice} ({flag}) does not apply: {why}; leave it out{other:if , or choose *}.")
SET_ASIDE = Sentence("{choice} ({flag}) {value} does not apply: {why}.")

entitle(globals())
