// oidc-provider, a certified OAuth server, with one client and pages that accept any username.

import { Provider } from "oidc-provider";

const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env;

const provider = new Provider(ISSUER, {
  clients: [
    {
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      application_type: "native", // allows any port on loopback
      grant_types: ["authorization_code", "refresh_token", "client_credentials"],
      redirect_uris: ["http://127.0.0.1/callback"],
      token_endpoint_auth_method: "client_secret_post",
    },
  ],
  scopes: ["list_meetings", "modify_meetings", "user_info"],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
  pkce: { required: () => false },
  rotateRefreshToken: true,
});

const server = provider.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
