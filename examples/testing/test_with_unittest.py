"""The same tests with unittest, which needs no plugin."""

from __future__ import annotations

import unittest

from directory import Directory

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox


class DirectoryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.sandbox = Sandbox(lifetime=60).start()
        cls.addClassCleanup(cls.sandbox.close)

    def setUp(self) -> None:
        self.sandbox.reset()
        configuration = bluejeans.Configuration()
        configuration.host = self.sandbox.url
        api = bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))
        self.addCleanup(api.api_client.close)
        self.directory = Directory(api, self.sandbox.client_id, self.sandbox.client_secret)

    def test_my_service_returns_the_username(self) -> None:
        self.assertEqual(self.directory.name_of(self.sandbox.user_id), self.sandbox.username)

    def test_my_service_replaces_an_expired_token(self) -> None:
        self.directory.name_of(self.sandbox.user_id)
        self.sandbox.expire_tokens()
        self.assertEqual(self.directory.name_of(self.sandbox.user_id), self.sandbox.username)


if __name__ == "__main__":
    unittest.main()
