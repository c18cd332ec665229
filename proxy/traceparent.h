// W3C Trace Context (https://www.w3.org/TR/trace-context/): whether a `traceparent` is one, and how one is made. Pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace proxy {

/// 3.2: version-traceid-parentid-flags, neither id all zeros. One of a later version may be longer.
bool is_traceparent(std::string_view text);

/// Whether these are 32 digits that can be a trace-id.
bool is_trace_id(std::string_view text);

inline constexpr std::size_t kTraceparent = 55;
/// Writes a new one of kTraceparent bytes and returns where it ends: version 00, sampled. `trace_id`: see is_trace_id().
char* put_traceparent(char* at, std::string_view trace_id, std::uint64_t parent_id);

}  // namespace proxy
