// Which [[routes]] of an app a path belongs to, and which routes can have none. Pure: paths in, a route out. Which app it is:
// proxy/route.h.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "conf/settings.h"

namespace conf {

/// What next_decoded() gives for "%2F": a slash that parts no segments (RFC 3986 2.2).
inline constexpr int kEncodedSlash = 0x100;
/// Takes the next character, percent-decoded (RFC 3986 2.1), from the front of a text that is not empty.
/// Negative: "%" without two hexadecimal digits.
int next_decoded(std::string_view& text);

struct RouteMatch {
  const Route* route;
  std::string_view rest;  ///< of the path, behind the route's own, as it came; begins with "/" if the route's
                          ///< does not end so

  /// The rest without that "/": a name below the route.
  std::string_view below() const { return rest.substr(rest.empty() || route->path.ends_with('/') ? 0 : 1); }
};

/// The longest that fits, or nothing: then the app has it. "/a" fits "/a" and "/a/b", not "/ab"; "/a/" fits
/// "/a/" and "/a/b". Percent-encoding makes no difference (RFC 3986 6.2.2.2), but that "%2F" is no "/"; case
/// does. Dot segments are not taken apart: what has them fits by what it looks like, and no file has them.
std::optional<RouteMatch> match_route(std::vector<Route> const& routes, std::string_view path);

/// Why no request should have such a path, as in "`path` " + sentence; empty: it may. A "%" that encodes nothing, and segments
/// that every client takes out before it asks (RFC 3986 5.2.4).
std::string_view why_unmatchable(std::string_view path);

/// A redirect of `routes` to a path of the same host which it has again, by itself or with what it keeps of the request's.
bool leads_to_itself(std::vector<Route> const& routes, Route const& route);

}  // namespace conf
