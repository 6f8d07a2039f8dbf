"""The transport: `Pool.exchange()` sends one request through urllib3 and reads its response before a deadline.

Nothing in this folder imports a module of the package that is above it. Settings are passed in as `ConnectionSettings`.
"""
