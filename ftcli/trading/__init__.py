"""The gate every order passes on its way to the broker."""
