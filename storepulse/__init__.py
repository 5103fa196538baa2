"""storepulse: the words all parts share, and on top of all the command line, demo and eval."""

__version__ = "0.1.0"
