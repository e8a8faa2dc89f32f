"""Ground truth: published tables and the lab's own results bank. No torch here."""
