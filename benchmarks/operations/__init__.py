"""The commands for many images at 10,000 to 1,000,000 keys: their time, memory, and requests to S3."""
