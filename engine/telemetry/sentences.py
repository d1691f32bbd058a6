"""What is said where a GPU cannot be watched."""

from engine.base.sentence import Phrase, Title, entitle

GPU = Title("NVIDIA GPU")
NO_LIBRARY = Phrase("nvidia-ml-py is not installed: pip install nvidia-ml-py")

entitle(globals())
