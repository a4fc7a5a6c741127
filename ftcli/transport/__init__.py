"""How a call reaches the broker: hosts, headers, login, cookies, retries of reads, decoding."""
