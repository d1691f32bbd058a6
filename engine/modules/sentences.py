"""What engine/modules says."""

from engine.base.sentence import Phrase, Sentence, Title, entitle

IMPORTED_UNTRUSTED = Sentence(
    "{file} would be imported by {name}, and you have neither run nor confirmed it as it is now; read it, then "
    "allow it with --trust (in Python trust=True)."
)
PYTHON_ITSELF = Phrase("Python itself")
UNTRUSTED = Sentence(
    "{names:and} {count:runs|run} code of {places:and}, which you have neither run nor confirmed before; read it, "
    "then allow it with --trust (in Python trust=True)."
)
CHANGED = Sentence(
    "{files:and} {count:has|have} changed since the run {run} was made with it; look at what is different, then "
    "run it as it is now with --trust (in Python trust=True)."
)
NO_MODULE = Title("No module named {name!r}")
HIDDEN = Phrase("a module of Python or of ravine has the same name and goes before {file}; rename that file")

entitle(globals())
