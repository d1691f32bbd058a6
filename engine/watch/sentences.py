"""What engine/watch says."""

from engine.base.sentence import Phrase, Sentence, entitle

BAD_CHECKSUM = Phrase("a record does not match its checksum")
BAD_LENGTH = Phrase("a record's length does not match its checksum")
DAMAGED = Sentence("{file} is damaged at byte {offset:count} of {size:count}: {damage}; what comes before it is shown.")
ENDS_WITHIN = Sentence("{file} ends within a record: it is being written, or was cut off at byte {size:count}.")
ENDLESS_NUMBER = Phrase("a number has no end")
WIRE_TYPE = Phrase("wire type {kind}")
FIELD_TOO_LONG = Phrase("a field is longer than its message")
UNREADABLE = Sentence("{path} cannot be read: {reason}.")
NO_FOLDER = Sentence("There is no log folder {path}; check its name.")
FOLDER_UNREADABLE = Sentence("The log folder {path} cannot be read: {reason}.")

entitle(globals())
