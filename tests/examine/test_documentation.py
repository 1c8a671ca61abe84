import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "curvature.md"


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL))
def test_examples_on_the_page_run(block, capsys):
    exec(compile(block, str(PAGE), "exec"), {})
    assert "learning rates below" in capsys.readouterr().out


def test_pictures_on_the_page_exist():
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", PAGE.read_text()):
        assert (PAGE.parent / picture).is_file()
