"""The evaluation screen: a model against its baselines."""
