"""Greets whom it is told to, and says who it is itself."""

import os
import sys

from greeting import greet

print(greet(sys.argv[1] if len(sys.argv) > 1 else "world"), f"from user {os.getuid()}")
