"""`python -m storepulse` is the same as `storepulse`."""

from storepulse.cli import main

main()
