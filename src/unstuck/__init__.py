"""Unstuck finds out why a neural network stopped learning, and gets it moving again."""

__version__ = "0.1.0"
