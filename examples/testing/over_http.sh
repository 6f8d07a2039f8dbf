#!/bin/sh
# Use the sandbox from any language, here a shell with curl. PORT is the port of the sandbox (default: 8080).
set -eu
url=http://127.0.0.1:${PORT:-8080}

python3 -m BlueJeansMeetingsRestApi.sandbox --port "${PORT:-8080}" >/dev/null &
trap 'kill $!' EXIT

control() { # control NAME [ARGUMENTS]: send a POST request with a JSON object
    curl --silent --fail --retry 50 --retry-connrefused --retry-delay 1 \
        --header 'Content-Type: application/json' --data "${2:-{\}}" "$url/sandbox/$1"
}

status_of_grant() {
    curl --silent --output /dev/null --write-out '%{http_code}\n' "$url/oauth2/token?Password" \
        --header 'Content-Type: application/json' \
        --data '{"grant_type": "password", "username": "demo.user", "password": "demo-password"}'
}

control reset
echo
control fail_next '{"count": 1, "status": 503, "headers": {"Retry-After": "1"}}'
echo
status_of_grant # 503
status_of_grant # 200
control requests
