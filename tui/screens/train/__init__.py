"""The train screen: panels, loss, weights, views."""
