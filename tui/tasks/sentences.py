"""What tui/tasks says."""

from engine.base.sentence import Phrase, Sentence, entitle

UNEXPECTED = Sentence("This failed unexpectedly: {what}. The log has more of it.")
FOLDER_UNREADABLE = Sentence("{path} cannot be read: {reason}.")
WRITTEN_SO_FAR = Phrase("{size} written to {path}")
WROTE = Sentence("Wrote {files:and}, {size}.{warning:if  *}")
TENSORBOARD_FAILED = Sentence("TensorBoard did not start: {reason}.")
SAID_NOTHING = Phrase("it said nothing")

entitle(globals())
