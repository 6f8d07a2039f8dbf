// A web application that signs in its user with openid-client, and then refreshes, introspects and revokes the token.

import http from "node:http";
import * as client from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env;
const onLoopback = { algorithm: "oauth2", execute: [client.allowInsecureRequests] };
const authentication = client.ClientSecretBasic(CLIENT_SECRET);
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, authentication, onLoopback);
const state = client.randomState();

async function respondTo(url) {
  const redirect_uri = `${url.origin}/callback`;
  if (url.pathname === "/login") {
    return client.buildAuthorizationUrl(config, { redirect_uri, state, scope: "list_meetings user_info" });
  }
  const tokens = await client.authorizationCodeGrant(config, url, { expectedState: state });
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  const owner = await client.tokenIntrospection(config, refreshed.access_token);
  await client.tokenRevocation(config, refreshed.access_token);
  await client.tokenRevocation(config, refreshed.access_token);
  const afterwards = await client.tokenIntrospection(config, refreshed.access_token);
  return {
    type: tokens.token_type,
    expires_in: tokens.expires_in,
    scope: refreshed.scope,
    is_another: tokens.access_token !== refreshed.access_token,
    user: owner.sub,
    is_active_after_revocation: afterwards.active,
  };
}

const server = http.createServer(async (request, response) => {
  const result = await respondTo(new URL(request.url, `http://${request.headers.host}`)).catch((error) => error);
  if (result instanceof URL) {
    response.writeHead(302, { Location: result.href }).end();
  } else if (result instanceof Error) {
    response.writeHead(403).end(JSON.stringify({ code: result.code, error: result.error }));
  } else {
    response.end(JSON.stringify(result));
  }
});
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
