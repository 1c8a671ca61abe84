"""What rules measure on a recording: plain numbers in, plain numbers out. A rule may use any of these, never
another rule."""
