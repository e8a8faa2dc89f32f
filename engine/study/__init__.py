"""Studies: of a run's super-net after the fact, and of forgetting in two small networks."""
