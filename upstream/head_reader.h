// Cuts a head into its start line and its fields while it comes, byte by byte if need be; no byte is looked
// at again because the next ones were late. What the start line and the fields mean: proxy/h1_reader.h and
// response_reader.h.
#pragma once
#include <cstdint>
#include <string_view>

#include "runtime/bytes.h"
#include "upstream/message.h"

namespace upstream {

/// What is wrong with the shape of a head.
enum class HeadFault : std::uint8_t {
  kNone,
  kBareLineFeed,  ///< a line that does not end in CRLF (RFC 9112 2.2)
  kFolded,  ///< a line that goes on with the one before (RFC 9112 5.2), or white space behind the start line
  kBadField,  ///< no field line
  kTooLarge,  ///< more than max_head bytes
  kTooManyFields,
};
std::string_view describe(HeadFault);

class HeadReader {
 public:
  enum class Got : std::uint8_t { kMore, kStartLine, kHead, kBroken };

  void begin(runtime::Bytes max_head, std::size_t max_fields);
  /// `bytes`: all of the head that is there, from its first byte; it may have moved since the last call.
  /// kStartLine: start_line() is there, once. kHead: `fields` and start_line() are whole and look into
  /// `bytes`, size() is the head's length with its empty line.
  Got next(std::string_view bytes, Fields& fields);

  std::string_view start_line() const { return {base_, start_line_}; }
  bool has_start_line() const { return start_line_ > 0; }
  runtime::Bytes size() const { return line_; }
  HeadFault fault() const { return fault_; }

 private:
  Got broken(HeadFault fault);
  void follow(const char* base, Fields& fields);
  bool take_field(std::string_view line, Fields& fields);

  runtime::Bytes max_head_ = 0;
  std::size_t max_fields_ = 0;
  const char* base_ = nullptr;     // where the head began at the last call
  runtime::Bytes line_ = 0;        // where the line begins that is not whole yet
  runtime::Bytes scanned_ = 0;     // no LF before this
  runtime::Bytes start_line_ = 0;  // its length; 0: not whole yet
  HeadFault fault_ = HeadFault::kNone;
};

}  // namespace upstream
