"""``wellgram simulate``: a screen with planted truth, as files."""

from typing import Annotated, Literal

import typer

from wellgram import simulate as simulation
from wellgram.cli.terminal import results, step
from wellgram.io.places import placing_folder


def simulate(
    out: Annotated[str, typer.Option(help="Folder for the screen, or a URL.")] = "screen",
    screen: Annotated[
        Literal["rxrx3-core", "rxrx1"],
        typer.Option(help="Whose shape: that of a map's screen, or of a study of batch effects."),
    ] = "rxrx3-core",
    scale: Annotated[float, typer.Option(help="1.0: the size of the published one.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    features: Annotated[int, typer.Option(help="Width of the embeddings.")] = 384,
) -> None:
    """Simulate a screen of RxRx3-core's shape, with planted complexes and compound targets.

    Writes the embeddings, the metadata, and what is planted: relationships/ and
    compound_gene_interactions.csv. Or of RxRx1's shape, with planted batch effects: embeddings and
    metadata.
    """
    made: simulation.SimulatedScreen | simulation.SimulatedStudy
    make = simulation.rxrx1 if screen == "rxrx1" else simulation.rxrx3_core
    with placing_folder(out) as folder:
        with step("simulate"):
            made = make(scale, seed, features=features)
        with step("write"):
            made.write(folder)
    n, d = made.embeddings.shape
    results.print(
        f"{n:,} {'sites' if screen == 'rxrx1' else 'wells'} x {d} features in {out}/", markup=False
    )
