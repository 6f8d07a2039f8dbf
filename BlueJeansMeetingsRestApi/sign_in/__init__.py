"""Sign-in of a user with a browser: the OAuth 2.0 authorization code grant (RFC 6749 section 4.1).

`flow` contains the public names. This file imports nothing: `flow` imports the credentials, and they import `saved`.
"""
