"""What the broker's documents mean: one module per group, each field declared once."""
