"""What tui/keys says."""

from engine.base.sentence import Phrase, Sentence, entitle

TAKE_IT = Phrase("take it")
LEAVE_AS_IT_WAS = Phrase("leave it as it was")
NO_SUCH_KEY = Sentence("keys.toml: there is nothing called {name}{hint}.")
NOT_SENT = Sentence("keys.toml: {name} stays where it is, for terminals do not send {key}.")
GIVEN_TO_BOTH = Sentence("keys.toml: {key} is given to both {one} and {other}.")
PERHAPS = Phrase(", perhaps {near}")
SEE_README = Phrase("; the README lists what there is")
NO_TRAINED_RUN = Sentence("There is no trained run yet: train one with {screen}, then {key}.")
GO_ON = Phrase("go on")
RACE_AGAIN = Phrase("race again")
TYPE_OF_COLUMN = Phrase("type of column")

entitle(globals())
