"""What a person has chosen and what goes on, without a screen."""
