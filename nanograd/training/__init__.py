"""Training: settings, the run as a generator of events, and its files."""
