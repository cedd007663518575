"""Tells signals to whom they concern: a signed webhook, and any service that Apprise knows."""
