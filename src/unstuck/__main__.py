"""``python -m unstuck``, and so ``torchrun -m unstuck run script.py``."""

from unstuck.cli.main import main

if __name__ == "__main__":
    main()
