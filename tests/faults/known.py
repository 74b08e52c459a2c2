"""Failures of the fuzzer that are known and not mended yet, with what is missing.

A kind of file and an outcome are taken out when the cause is mended. The set may only shrink.
"""

KNOWN: dict[tuple[str, str], str] = {}
