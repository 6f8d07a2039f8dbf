"""Use the same credentials with requests and httpx."""

import httpx
import requests

import BlueJeansMeetingsRestApi as bluejeans
from settings import client, setting

with client() as api_client:
    credentials = bluejeans.PasswordCredentials(
        setting("BLUEJEANS_USERNAME"), setting("BLUEJEANS_PASSWORD"), api=bluejeans.AuthenticationApi(api_client)
    )
    url = f"{api_client.configuration.base_url}/v1/user/{setting('BLUEJEANS_USER_ID')}"

    with requests.Session() as session:
        session.auth = credentials
        print("requests:", session.get(url).json()["username"])
    with httpx.Client(auth=credentials) as http:
        print("httpx:", http.get(url).json()["username"])
