"""What two or more runs say together."""
