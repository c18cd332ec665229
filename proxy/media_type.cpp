#include "proxy/media_type.h"

#include <algorithm>
#include <array>

#include "runtime/text.h"

namespace proxy {
namespace {

struct Ending {
  std::string_view ending;  // lower case, without the dot
  std::string_view type;
};
constexpr Ending kEndings[] = {
#include "proxy/media_types.inc"
};
static_assert(std::ranges::is_sorted(kEndings, {}, &Ending::ending));

constexpr std::string_view kUnknown = "application/octet-stream";

// What people write as text has been UTF-8 for long; without a word browsers would guess windows-1252 (WHATWG
// HTML 13.2.3). The others of text/ are rare enough to say it themselves, as XML and HTML can.
struct Spoken {
  std::string_view type;
  std::string_view with_charset;
};
constexpr Spoken kSpoken[] = {
    {"text/cache-manifest", "text/cache-manifest; charset=utf-8"},
    {"text/calendar", "text/calendar; charset=utf-8"},
    {"text/css", "text/css; charset=utf-8"},
    {"text/csv", "text/csv; charset=utf-8"},
    {"text/html", "text/html; charset=utf-8"},
    {"text/javascript", "text/javascript; charset=utf-8"},
    {"text/markdown", "text/markdown; charset=utf-8"},
    {"text/plain", "text/plain; charset=utf-8"},
    {"text/tab-separated-values", "text/tab-separated-values; charset=utf-8"},
    {"text/vcard", "text/vcard; charset=utf-8"},
    {"text/vtt", "text/vtt; charset=utf-8"},
    {"text/xml", "text/xml; charset=utf-8"},
};
static_assert(std::ranges::is_sorted(kSpoken, {}, &Spoken::type));

}  // namespace

std::string_view media_type(std::string_view file_name) {
  const std::string_view last = file_name.substr(file_name.find_last_of('/') + 1);
  const std::size_t dot = last.find_last_of('.');
  std::array<char, 32> folded;
  if (dot == last.npos || last.size() - dot - 1 > folded.size()) return kUnknown;
  const std::string_view ending = last.substr(dot + 1);
  std::ranges::transform(ending, folded.begin(), runtime::lower);
  const std::string_view key(folded.data(), ending.size());
  const auto* const found = std::ranges::lower_bound(kEndings, key, {}, &Ending::ending);
  if (found == std::end(kEndings) || found->ending != key) return kUnknown;
  const auto* const spoken = std::ranges::lower_bound(kSpoken, found->type, {}, &Spoken::type);
  return spoken != std::end(kSpoken) && spoken->type == found->type ? spoken->with_charset : found->type;
}

}  // namespace proxy
