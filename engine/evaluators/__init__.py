"""What a searcher or the ranking asks: super-net scores, stand-alone truth, tables."""
