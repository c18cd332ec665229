// Where a `redirect` route sends the client. Pure.
#pragma once
#include <string>
#include <string_view>

#include "conf/settings.h"

namespace proxy {

/// The value of Location (RFC 9110 10.2.2). `rest` is what stands in the request's path behind the route's,
/// `query` what stands behind "?". Both go along as they came, if the route keeps the path; there is one "/"
/// between `redirect` and the rest, so that "https://a.example" and "//b.example/" never become another host.
std::string redirect_target(const conf::Route& route, std::string_view rest, std::string_view query);

/// The same place with the "/" at its end that a folder wants. `path` begins with one "/".
std::string folder_target(std::string_view path, std::string_view query);

}  // namespace proxy
