"""`python -m ai_memory`: the command line, for an environment whose scripts are not on the path."""

from __future__ import annotations

import sys

from ai_memory.cli import main

sys.exit(main())
