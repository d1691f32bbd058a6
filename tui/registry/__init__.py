"""What of the app can be chosen by name, each thing one record, from which all else about it is derived.

views     the views of a run

As `engine.registry`, it stands low and imports nothing heavy: what draws a view is named, and imported when it draws.
"""
