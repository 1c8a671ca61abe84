"""Stands here so that the tests below this folder can import ``literal_recordings``."""
