"""What JAX must be set to, for numbers to be those that scib-metrics gives by default."""

from wellgram.accel.declined import Declined


def check_float32_on_processor() -> None:
    """Decline unless JAX computes in float32, and here."""
    import jax

    if jax.config.jax_enable_x64:
        raise Declined("JAX computes in float64")
    if jax.default_backend() != "cpu":
        raise Declined("JAX computes on a device")
