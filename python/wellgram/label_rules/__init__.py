"""What labels of wells mean, whatever type they have: no value, a control, a dose."""
