"""The hand-made commands, one module per subject, on top of the same operations as all others."""
