"""A client of the OAuth2 endpoints of the BlueJeans Meetings REST API.

grant = AuthenticationApi().get_token_by_client(GrantRequestClient(client_id="…", client_secret="…"))
"""

from typing import TYPE_CHECKING

from .api.authentication_api import AuthenticationApi as AuthenticationApi
from .api_client import ApiClient as ApiClient
from .configuration import Configuration as Configuration
from .exceptions import ApiConnectionError as ApiConnectionError
from .exceptions import ApiException as ApiException
from .exceptions import ApiProxyError as ApiProxyError
from .exceptions import ApiResponseError as ApiResponseError
from .exceptions import ApiStatusError as ApiStatusError
from .exceptions import ApiTimeoutError as ApiTimeoutError
from .exceptions import ApiTLSError as ApiTLSError
from .exceptions import BadRequestError as BadRequestError
from .exceptions import ConflictError as ConflictError
from .exceptions import ForbiddenError as ForbiddenError
from .exceptions import NotFoundError as NotFoundError
from .exceptions import RateLimitError as RateLimitError
from .exceptions import ReauthenticationRequired as ReauthenticationRequired
from .exceptions import RedirectError as RedirectError
from .exceptions import ServiceError as ServiceError
from .exceptions import UnauthorizedError as UnauthorizedError
from .exceptions import UnprocessableEntityError as UnprocessableEntityError
from .models import Error as Error
from .models import GrantClient as GrantClient
from .models import GrantClientScope as GrantClientScope
from .models import GrantCode as GrantCode
from .models import GrantCodeScope as GrantCodeScope
from .models import GrantCodeScopeAppPermissions as GrantCodeScopeAppPermissions
from .models import GrantMeeting as GrantMeeting
from .models import GrantMeetingScope as GrantMeetingScope
from .models import GrantMeetingScopeMeeting as GrantMeetingScopeMeeting
from .models import GrantPassword as GrantPassword
from .models import GrantPasswordScope as GrantPasswordScope
from .models import GrantRefresh as GrantRefresh
from .models import GrantRefreshScope as GrantRefreshScope
from .models import GrantRequestClient as GrantRequestClient
from .models import GrantRequestCode as GrantRequestCode
from .models import GrantRequestMeeting as GrantRequestMeeting
from .models import GrantRequestPassword as GrantRequestPassword
from .models import GrantRequestRefresh as GrantRequestRefresh
from .models import GrantRequestRevoke as GrantRequestRevoke
from .models import InlineResponse200 as InlineResponse200
from .models import Partition as Partition
from .version import __version__ as __version__

if TYPE_CHECKING:
    from .credentials import AccessToken as AccessToken
    from .credentials import BearerAuth as BearerAuth
    from .credentials import ClientCredentials as ClientCredentials
    from .credentials import Credentials as Credentials
    from .credentials import MeetingCredentials as MeetingCredentials
    from .credentials import PasswordCredentials as PasswordCredentials
    from .credentials import Refresh as Refresh
    from .credentials import RefreshTokenCredentials as RefreshTokenCredentials
    from .credentials import StaticToken as StaticToken
    from .credentials import TokenProvider as TokenProvider
    from .credentials import TokenRefresher as TokenRefresher
    from .credentials import default_credentials as default_credentials
    from .sign_in.flow import AuthorizationCodeFlow as AuthorizationCodeFlow
    from .sign_in.flow import authorization_url as authorization_url
    from .token_stores import FileTokenStore as FileTokenStore
    from .token_stores import MemoryTokenStore as MemoryTokenStore
    from .token_stores import RedisTokenStore as RedisTokenStore
    from .token_stores import TokenStore as TokenStore
    from .token_stores import TokenStoreError as TokenStoreError
else:
    # Imported on first use, because programs that call only the operations need none of these modules.
    _LATER = {
        "sign_in.flow": "AuthorizationCodeFlow authorization_url",
        "credentials": "AccessToken BearerAuth ClientCredentials Credentials MeetingCredentials PasswordCredentials "
        "Refresh RefreshTokenCredentials StaticToken TokenProvider TokenRefresher default_credentials",
        "token_stores": "FileTokenStore MemoryTokenStore RedisTokenStore TokenStore TokenStoreError",
    }
    _MODULE_OF = {name: module for module, names in _LATER.items() for name in names.split()}

    def __getattr__(name):
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        return value

    def __dir__():
        return sorted({*globals(), *_MODULE_OF})
