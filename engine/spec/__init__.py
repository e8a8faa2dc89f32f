"""Experiment specifications and the exceptions a user may see. No torch here."""
