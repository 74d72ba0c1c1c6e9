"""``python -m adam_edu`` is the command line ``adam-edu``."""

import sys

from .cli import main

sys.exit(main())
