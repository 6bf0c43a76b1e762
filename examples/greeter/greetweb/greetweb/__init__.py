"""The greeter service: a web server and a worker."""
