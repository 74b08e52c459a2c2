"""What stands in for functions of pandas, in scripts that ask for it."""
