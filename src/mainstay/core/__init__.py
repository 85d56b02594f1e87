"""What a feature leans on; knows no feature."""
