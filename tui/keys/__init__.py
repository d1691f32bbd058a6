"""Every key, said once, and a person's own keys over it."""
