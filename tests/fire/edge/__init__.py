"""The whole chain behind caches that are set wrongly: s3rver, Varnish and nginx, Chromium."""
