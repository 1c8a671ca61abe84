"""Plain numbers on disk: journals, recordings, the index."""
