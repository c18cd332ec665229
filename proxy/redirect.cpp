#include "proxy/redirect.h"

namespace proxy {
namespace {

void append_query(std::string& target, std::string_view query) {
  if (query.empty()) return;
  target += '?';
  target += query;
}

}  // namespace

std::string folder_target(std::string_view path, std::string_view query) {
  std::string target(path);
  target += '/';
  append_query(target, query);
  return target;
}

std::string redirect_target(const conf::Route& route, std::string_view rest, std::string_view query) {
  std::string target = route.redirect;
  if (!route.keep_path) return target;
  // A browser takes "\" for "/" (WHATWG URL 4.4).
  const std::size_t begin = rest.find_first_not_of("/\\");
  const std::string_view kept = begin == rest.npos ? std::string_view() : rest.substr(begin);
  if (!rest.empty()) {
    while (target.ends_with('/')) target.pop_back();
    target += '/';
    target += kept;
  }
  append_query(target, query);
  return target;
}

}  // namespace proxy
