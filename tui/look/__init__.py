"""Colours, numbers and signs: how things look, whatever they are."""
