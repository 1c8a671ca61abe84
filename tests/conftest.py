"""For every test: which files hold tests, where their helpers are found, and how hypothesis draws."""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

HERE = Path(__file__).parent

# A test may import the plain modules that lie beside it.
sys.path += [str(folder) for folder in sorted(HERE.iterdir()) if folder.is_dir() and folder.name != "__pycache__"]

# The machine's speed decides nothing here. The suite draws the same examples every time; to look for new ones:
# HYPOTHESIS_PROFILE=explore make test
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Beside the tests lie scripts that train when they are imported: only ``test_*.py`` is looked at."""
    if collection_path.suffix == ".py" and not collection_path.name.startswith(("test_", "conftest")):
        return True
    return None
