"""Write a model folder of the EmbeddingGemma architecture with random weights.

Speed and exactness are measured on it where the real weights are not available.

    python scripts/random_gemma.py OUT                  tiny, 2 MB: four layers
    python scripts/random_gemma.py OUT --small          0.5 MB: three narrower layers
    python scripts/random_gemma.py OUT --full           the published sizes, 1.2 GB
    python scripts/random_gemma.py OUT --outliers 4     four channels 20 to 100 times as large as the rest
    python scripts/random_gemma.py OUT --second         EmbeddingGemma 2, tiny, 3 MB; with --full 1.1 GB

The bytes depend only on the arguments.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support import tiny_gemma2
from tests.support.tiny_gemma import FULL, SEED, SMALL, TINY, random_gemma


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder to write; files in it are replaced")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--full", dest="sizes", action="store_const", const=FULL, help="24 layers of 768 and 262,144 pieces"
    )
    sizes.add_argument("--small", dest="sizes", action="store_const", const=SMALL, help="three layers of 48")
    parser.add_argument(
        "--outliers", type=int, default=0, metavar="N", help="channels that are 20 to 100 times as large"
    )
    parser.add_argument("--second", action="store_true", help="EmbeddingGemma 2, its text part")
    parser.add_argument("--seed", type=int, metavar="N")
    args = parser.parse_args()
    if args.second and (args.outliers or args.sizes is SMALL):
        parser.error("--second goes with --full and --seed only")
    if args.second:
        sizes = tiny_gemma2.FULL if args.sizes else tiny_gemma2.TINY
        tiny_gemma2.random_gemma2(args.out, sizes, seed=tiny_gemma2.SEED if args.seed is None else args.seed)
    else:
        seed = SEED if args.seed is None else args.seed
        random_gemma(args.out, args.sizes or TINY, seed=seed, outliers=args.outliers)
    size = sum(file.stat().st_size for file in args.out.rglob("*") if file.is_file())
    print(f"{args.out}: {size / 1e6:,.1f} MB")


if __name__ == "__main__":
    main()
