"""What is measured: one file a target, with its requests, its rows and their bars."""
