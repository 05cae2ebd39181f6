"""The example shop's pages in Chromium, beside the same pages with other people's images."""
