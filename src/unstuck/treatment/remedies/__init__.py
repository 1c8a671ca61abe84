"""One remedy a file."""
