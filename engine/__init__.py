"""Ravine's engine: data in, trained models out, without a screen."""
