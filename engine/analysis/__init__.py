"""What can be told of a recipe before it runs, and of a model after it."""
