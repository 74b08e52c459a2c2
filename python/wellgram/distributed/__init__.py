"""Passes over wells and pairs, and random draws, on the workers of a Dask cluster.

`using` is the door: within it whatever is done by pieces (`Team`) is done by the workers. What the
pieces are is said where they are cut: chunks of wells in `wellgram.stream`, tiles of pairs in
`wellgram.pairs`, sets of draws in `wellgram.nulls`.
"""

from wellgram.distributed.cluster import Client as Client
from wellgram.distributed.cluster import Team, connected, each, takes_client, team, using

__all__ = ["Team", "connected", "each", "takes_client", "team", "using"]
