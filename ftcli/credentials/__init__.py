"""Where secrets live: the OS keyring, an encrypted file, the environment."""
