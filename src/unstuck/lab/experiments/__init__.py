"""One experiment a file, found by this folder; the file's name with hyphens is the experiment's name."""
