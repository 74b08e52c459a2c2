"""What stands in for functions of SciPy, in scripts that ask for it."""
