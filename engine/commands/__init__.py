"""What the command line does with runs and logs once they are there. `engine.cli` holds the way in and training."""
