"""Compute entry points, one folder each: put one use case together, parse, call it, map the answer."""

import gc

# Imports, models and clients make some hundred thousand objects that live as long as the process: looking through them for
# garbage again and again, as happens by default after each few hundred, is a tenth of a cold start; once is a twentieth.
gc.set_threshold(200_000)
