"""What stands in for functions of copairs."""
