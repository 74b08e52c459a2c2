"""``python -m wellgram``: the command line."""

import signal


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly from its first moment."""
    # An interrupt in the midst of an import would be an error of that module. There is nothing to
    # tidy up yet, so the signal itself ends the process.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from wellgram.cli import main as run

    run()


if __name__ == "__main__":
    main()
