// Time: a steady clock for waits, the wall clock for what people read.
#pragma once
#include <chrono>
#include <string>

namespace runtime {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Milliseconds = std::chrono::milliseconds;
using Microseconds = std::chrono::microseconds;
using WallTime = std::chrono::system_clock::time_point;

/// "2026-11-24T20:11:41.123Z", RFC 3339.
std::string rfc3339(WallTime);

/// "Tue, 24 Nov 2026 20:11:41 GMT", RFC 9110 5.6.7 (IMF-fixdate).
std::string http_date(WallTime);

}  // namespace runtime
