"""AWS on one machine, for the demo and the tests: S3, its website endpoint and CloudFront on 127.0.0.1."""
