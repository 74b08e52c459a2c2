"""``python -m wellgram``: the command line."""

from wellgram.cli import main

main()
