"""The laboratory: every claim of the lectures as an experiment that runs, with numbers, criteria and a picture."""
