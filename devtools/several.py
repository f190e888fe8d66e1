"""Several management commands one after the other in one process: importing the project costs more than most of them.

python devtools/several.py migrate --noinput , bootstrap
"""

import runpy
import sys
from itertools import groupby
from pathlib import Path

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"


def main(words: list[str]) -> None:
    sys.path[0] = str(MANAGE.parent)
    for is_comma, group in groupby(words, ",".__eq__):
        if is_comma:
            continue
        sys.argv = [str(MANAGE), *group]
        try:
            runpy.run_path(str(MANAGE), run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise


if __name__ == "__main__":
    main(sys.argv[1:])
