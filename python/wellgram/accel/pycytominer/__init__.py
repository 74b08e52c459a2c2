"""What stands in for functions of pycytominer."""
