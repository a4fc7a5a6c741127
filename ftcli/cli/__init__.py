"""The terminal's face: commands built from the operations, and the output formats."""
