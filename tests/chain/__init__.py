"""The whole chain over real sockets: gunicorn, moto's server, the embedded CDN, Chromium."""
