"""``python -m wellgram``: the command line."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly from its first moment."""
    try:
        from wellgram.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
