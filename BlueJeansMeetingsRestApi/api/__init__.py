"""Groups of operations; `AuthenticationApi` is the only one."""

from .authentication_api import AuthenticationApi as AuthenticationApi
