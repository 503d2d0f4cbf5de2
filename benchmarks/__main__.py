"""``make bench``: each benchmark in turn. So far there is one, of how a suite is shared by lanes."""

import sys

from benchmarks.split import main

sys.exit(main())
