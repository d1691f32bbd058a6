"""The app: it composes the screens, routes keys and messages, and remembers what a person chose."""
