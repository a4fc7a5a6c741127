"""What can be done: one module per group, each operation declared once."""
