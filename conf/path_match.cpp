#include "conf/path_match.h"

#include <string>

#include "runtime/text.h"

namespace conf {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = runtime::lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// What is left of `path` behind `prefix`.
std::optional<std::string_view> rest_behind(std::string_view prefix, std::string_view path) {
  const bool ends_in_slash = prefix.ends_with('/');
  while (!prefix.empty()) {
    if (path.empty() || next_decoded(prefix) != next_decoded(path)) return std::nullopt;
  }
  if (ends_in_slash || path.empty() || path.starts_with('/')) return path;
  return std::nullopt;
}

}  // namespace

int next_decoded(std::string_view& text) {
  const char c = text.front();
  text.remove_prefix(1);
  if (c != '%') return static_cast<unsigned char>(c);
  const int high = !text.empty() ? hex_digit(text[0]) : -1;
  const int low = text.size() > 1 ? hex_digit(text[1]) : -1;
  if (high < 0 || low < 0) return -1;
  text.remove_prefix(2);
  const int decoded = high * 16 + low;
  return decoded == '/' ? kEncodedSlash : decoded;
}

std::optional<RouteMatch> match_route(std::vector<Route> const& routes, std::string_view path) {
  std::optional<RouteMatch> best;
  for (Route const& route : routes) {
    if (best && best->route->path.size() >= route.path.size()) continue;
    if (const auto rest = rest_behind(route.path, path)) best = RouteMatch{&route, *rest};
  }
  return best;
}

std::string_view why_unmatchable(std::string_view path) {
  for (std::string_view segment : runtime::split(path, '/')) {
    std::string decoded;
    while (!segment.empty()) {
      int const c = next_decoded(segment);
      if (c < 0) return "has a `%` without two hexadecimal digits";
      decoded += c == kEncodedSlash ? '/' : static_cast<char>(c);
    }
    if (decoded == "." || decoded == "..") return "has `.` or `..` for a segment: clients take them out before they ask";
  }
  return {};
}

bool leads_to_itself(std::vector<Route> const& routes, Route const& route) {
  if (!route.redirect.starts_with('/')) return false;
  auto const has = [&](std::string_view path) {
    std::optional<RouteMatch> const match = match_route(routes, path);
    return match && match->route == &route;
  };
  std::string place = route.redirect.substr(0, route.redirect.find('?'));
  if (has(place)) return true;
  while (place.ends_with('/')) place.pop_back();
  return route.keep_path && has(place + "/what-no-other-route-has");
}

}  // namespace conf
