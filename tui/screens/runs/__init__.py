"""The runs screen: every run that was kept."""
