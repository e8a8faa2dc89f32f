"""What networks are trained for: losses and scores."""
