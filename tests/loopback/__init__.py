"""The outside world on the loopback: sites behind a real TLS proxy with an authority of its own."""
