"""Credentials that request an access token when one is needed, and refresh it before it expires."""

from .attempt import Refresh as Refresh
from .base import Credentials as Credentials
from .base import CredentialsOptions as CredentialsOptions
from .default import default_credentials as default_credentials
from .grants import ClientCredentials as ClientCredentials
from .grants import MeetingCredentials as MeetingCredentials
from .grants import PasswordCredentials as PasswordCredentials
from .grants import RefreshTokenCredentials as RefreshTokenCredentials
from .grants import StaticToken as StaticToken
from .grants import sign_in_again as sign_in_again
from .http_auth import BearerAuth as BearerAuth
from .http_auth import origin as origin
from .refresher import TokenRefresher as TokenRefresher
from .token import AccessToken as AccessToken
from .token import Clock as Clock
from .token import TokenProvider as TokenProvider
