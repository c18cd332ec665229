// Which [[routes]] of an app a path belongs to. Pure: paths in, a route out. Which app it is: proxy/route.h.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "conf/settings.h"

namespace proxy {

/// What next_decoded() gives for "%2F": a slash that parts no segments (RFC 3986 2.2).
inline constexpr int kEncodedSlash = 0x100;
/// Takes the next character, percent-decoded (RFC 3986 2.1), from the front of a text that is not empty.
/// Negative: "%" without two hexadecimal digits.
int next_decoded(std::string_view& text);

struct RouteMatch {
  const conf::Route* route;
  std::string_view rest;  ///< of the path, behind the route's own, as it came; begins with "/" if the route's
                          ///< does not end so

  /// The rest without that "/": a name below the route.
  std::string_view below() const { return rest.substr(rest.empty() || route->path.ends_with('/') ? 0 : 1); }
};

/// The longest that fits, or nothing: then the app has it. "/a" fits "/a" and "/a/b", not "/ab"; "/a/" fits
/// "/a/" and "/a/b". Percent-encoding makes no difference (RFC 3986 6.2.2.2), but that "%2F" is no "/"; case
/// does. Dot segments are not taken apart: what has them fits by what it looks like, and no file has them.
std::optional<RouteMatch> match_route(const std::vector<conf::Route>& routes, std::string_view path);

}  // namespace proxy
