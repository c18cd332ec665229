#include "proxy/path_match.h"

#include "runtime/text.h"

namespace proxy {
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

std::optional<RouteMatch> match_route(const std::vector<conf::Route>& routes, std::string_view path) {
  std::optional<RouteMatch> best;
  for (const conf::Route& route : routes) {
    if (best && best->route->path.size() >= route.path.size()) continue;
    if (const auto rest = rest_behind(route.path, path)) best = RouteMatch{&route, *rest};
  }
  return best;
}

}  // namespace proxy
