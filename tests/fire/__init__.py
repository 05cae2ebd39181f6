"""The resizer under fire: herds of requests, killed processes, storages that fail."""
