"""The output formats: the only part of the program that knows what a table or a terminal is."""
