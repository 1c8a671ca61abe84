"""Replays of a training run with one change at a time, against controls: which remedy helps, by how much, how surely."""
