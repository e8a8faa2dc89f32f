"""Studies of one run's super-net after the fact: rank change, amount of sharing."""
