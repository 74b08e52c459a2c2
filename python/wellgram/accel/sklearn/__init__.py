"""What stands in for functions of scikit-learn."""
