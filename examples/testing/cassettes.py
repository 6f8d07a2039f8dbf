"""A vcrpy recorder whose cassettes contain no secrets."""

import json

import vcr

SECRETS = {"client_secret", "password", "meetingPasscode", "code", "access_token", "refresh_token"}


def filter_response(response):
    try:
        content = json.loads(response["body"]["string"])
    except ValueError:
        return response
    masked = {name: "masked" if name in SECRETS else value for name, value in content.items()}
    response["body"]["string"] = json.dumps(masked).encode()
    response["headers"].pop("Content-Length", None)
    return response


recorder = vcr.VCR(
    filter_headers=["Authorization", "Proxy-Authorization", "Cookie"],
    filter_query_parameters=["access_token"],
    filter_post_data_parameters=sorted(SECRETS),
    before_record_response=filter_response,
    match_on=["method", "scheme", "host", "port", "path"],
)
