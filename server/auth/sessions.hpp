// Sessions renewed, checked and ended.
#pragma once

#include "auth/service.hpp"

namespace rampart::server::auth {

// By the refresh token in its cookie, or in the body for programs.
http::Reply RefreshSession(const Service& service, http::Exchange& exchange);
http::Reply LogOut(http::Exchange& exchange);

// Who is there. Without a question to the database, where nothing has been heard of the session.
http::Reply WhoAmI(const Service& service, http::Exchange& exchange);
// For proxies (nginx's auth_request, Traefik, Envoy): 200 with X-Auth-* headers, or 401, 403. With
// ?resource= and ?action= it asks the policy.
http::Reply VerifyForProxy(const Service& service, http::Exchange& exchange);

}  // namespace rampart::server::auth
