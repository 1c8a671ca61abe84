"""One file a finding, found by folder. A rule's module docstring is its page."""
