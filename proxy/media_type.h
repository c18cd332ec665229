// The media type of a file by the end of its name (RFC 9110 8.3). Pure. The table is made by
// packaging/media-types.
#pragma once
#include <string_view>

namespace proxy {

/// What goes into Content-Type; text says that it is UTF-8. "application/octet-stream" for an ending that is
/// not known.
std::string_view media_type(std::string_view file_name);

}  // namespace proxy
