// From what a request names to the name of a file below the folder of a `files` route. Pure: it knows no
// disk. That a link does not lead out is the kernel's work, see proxy/file_reader.cpp.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace proxy {

/// `below`: conf::RouteMatch::below(), percent-encoded (RFC 3986 2.1). The name is relative, without
/// "/" at either end; empty: the folder itself. Whether a "/" at the end asked for a folder the path says.
/// Nothing: no file can be meant. That is: ".", ".." and empty segments, NUL and "/" within one (as "%2F"),
/// broken percent-encoding, a path longer than any, and hidden names, which begin with a dot. Of these only
/// "/.well-known/" at the front is open (RFC 8615).
std::optional<std::string> file_path(std::string_view below);

}  // namespace proxy
