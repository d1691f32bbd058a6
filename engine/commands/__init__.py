"""What the command line does. `engine.cli` is the way in.

plain      lines that need no parser
program    all lines, read by cyclopts; parameters, recipe_parameters, runs, export and watch hold what only it needs
flags      what both know, said once
train, predict, listing    the commands that both may call
console    streams and exit codes
"""
