#include "proxy/file_path.h"

#include "conf/path_match.h"

namespace proxy {
namespace {

// PATH_MAX with room for "/index.html" and ".br".
constexpr std::size_t kLongestName = 4096 - 64;
constexpr std::string_view kWellKnown = ".well-known";

/// Decodes one segment behind what is there; the first one begins at 0. False: it is none that a file can
/// have.
bool append_segment(std::string_view segment, std::string& name) {
  const std::size_t begin = name.size();
  while (!segment.empty()) {
    const int c = conf::next_decoded(segment);
    // A "/" from "%2F" is part of a name, and no file has it in its own.
    if (c <= 0 || c == '/' || c == conf::kEncodedSlash) return false;
    name += static_cast<char>(c);
  }
  const std::string_view decoded = std::string_view(name).substr(begin);
  return !decoded.empty() && (!decoded.starts_with('.') || (begin == 0 && decoded == kWellKnown));
}

}  // namespace

std::optional<std::string> file_path(std::string_view below) {
  if (below.size() > kLongestName) return std::nullopt;
  std::string name;
  while (!below.empty()) {
    const std::size_t end = below.find('/');
    if (!name.empty()) name += '/';
    if (!append_segment(below.substr(0, end), name)) return std::nullopt;
    below.remove_prefix(end == below.npos ? below.size() : end + 1);
  }
  return name;
}

}  // namespace proxy
