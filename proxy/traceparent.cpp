#include "proxy/traceparent.h"

#include "upstream/put.h"

namespace proxy {
namespace {

constexpr std::size_t kTraceId = 32, kParentId = 16;

/// Lower case only, 3.2.2.
bool is_hex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == text.npos; }
bool is_id(std::string_view text, std::size_t size) {
  return text.size() == size && is_hex(text) && text.find_first_not_of('0') != text.npos;
}

}  // namespace

bool is_trace_id(std::string_view text) { return is_id(text, kTraceId); }

bool is_traceparent(std::string_view text) {
  if (text.size() < kTraceparent || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2), flags = text.substr(53, 2);
  const bool may_be_longer = version != "00" && text.size() > kTraceparent && text[kTraceparent] == '-';
  return is_hex(version) && version != "ff" && is_trace_id(text.substr(3, kTraceId)) &&
         is_id(text.substr(36, kParentId), kParentId) && is_hex(flags) && (text.size() == kTraceparent || may_be_longer);
}

char* put_traceparent(char* at, std::string_view trace_id, std::uint64_t parent_id) {
  at = upstream::put(at, "00-");
  at = upstream::put(at, trace_id);
  at = upstream::put(at, '-');
  at = upstream::put_hex(at, parent_id);
  return upstream::put(at, "-01");
}

}  // namespace proxy
