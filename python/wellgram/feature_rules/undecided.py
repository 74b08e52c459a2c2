"""What a rule raises where it cannot tell what the original would do."""


class Undecided(Exception):  # noqa: N818  # says what happens, and is never seen as an error
    """Rounding could decide, or the values are beyond what the rule was made for."""
