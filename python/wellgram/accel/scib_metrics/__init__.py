"""What stands in for functions of scib-metrics, in scripts that ask for it."""
