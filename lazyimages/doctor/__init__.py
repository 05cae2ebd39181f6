"""What is wrong between the settings, AWS, the CDN and the app: examinations, findings and remedies."""
