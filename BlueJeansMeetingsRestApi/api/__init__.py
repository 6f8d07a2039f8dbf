"""The groups of operations."""

from .authentication_api import AuthenticationApi as AuthenticationApi
