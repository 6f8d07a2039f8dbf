"""The models, one file each."""

from .error import Error as Error
from .grant_client import GrantClient as GrantClient
from .grant_client_scope import GrantClientScope as GrantClientScope
from .grant_code import GrantCode as GrantCode
from .grant_code_scope import GrantCodeScope as GrantCodeScope
from .grant_code_scope_app_permissions import GrantCodeScopeAppPermissions as GrantCodeScopeAppPermissions
from .grant_meeting import GrantMeeting as GrantMeeting
from .grant_meeting_scope import GrantMeetingScope as GrantMeetingScope
from .grant_meeting_scope_meeting import GrantMeetingScopeMeeting as GrantMeetingScopeMeeting
from .grant_password import GrantPassword as GrantPassword
from .grant_password_scope import GrantPasswordScope as GrantPasswordScope
from .grant_refresh import GrantRefresh as GrantRefresh
from .grant_refresh_scope import GrantRefreshScope as GrantRefreshScope
from .grant_request_client import GrantRequestClient as GrantRequestClient
from .grant_request_code import GrantRequestCode as GrantRequestCode
from .grant_request_meeting import GrantRequestMeeting as GrantRequestMeeting
from .grant_request_password import GrantRequestPassword as GrantRequestPassword
from .grant_request_refresh import GrantRequestRefresh as GrantRequestRefresh
from .grant_request_revoke import GrantRequestRevoke as GrantRequestRevoke
from .inline_response200 import InlineResponse200 as InlineResponse200
from .partition import Partition as Partition
