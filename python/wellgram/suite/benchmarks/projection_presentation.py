"""How the map in two dimensions is shown."""

from wellgram.suite.contract import Figure, Findings, Presentation, Task


def present_projection(task: Task, findings: Findings) -> Presentation:
    """Return the shares of variance, and the map coloured by type where there are several."""
    result, color, legend = findings.result, None, ""
    table = result.table
    if "perturbation_type" in table and len(table["perturbation_type"].unique()) > 1:
        color, legend = "perturbation_type", " Colours: the type of perturbation."
    return Presentation(
        "The two directions in which the map's rows, each scaled to length 1, differ most. Two "
        "axes show little of many: near in the figure need not be near in the map.",
        ("axis", "share of variance"),
        [(str(k + 1), f"{share:.1%}") for k, share in enumerate(result.explained)],
        {
            "projection": Figure(
                lambda: result.plot(color=color),
                f"Every row of the map by its two principal components.{legend}",
                wide=True,
            )
        },
    )
