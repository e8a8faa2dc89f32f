"""How fast, against what, on which machine. Never part of the tests."""
