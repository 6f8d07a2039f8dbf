"""One HTTP exchange: a request is sent through urllib3's public API, and its response is read within a deadline.

Nothing in this folder imports a module of the package that is above it. Settings are passed in as `ConnectionSettings`.
"""
