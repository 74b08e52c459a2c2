"""What stands in for functions of efaar_benchmarking."""
