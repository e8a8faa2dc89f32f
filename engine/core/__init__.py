"""Choices, architectures, spaces, registries, capabilities and random streams. No torch here."""
