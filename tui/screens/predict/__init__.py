"""The predict screen: raw values in, a prediction out."""
