#include "upstream/head_reader.h"

#include <cstring>

#include "upstream/grammar.h"

namespace upstream {

std::string_view describe(HeadFault fault) {
  switch (fault) {
    case HeadFault::kNone:
      return "";
    case HeadFault::kBareLineFeed:
      return "a line of the head does not end in CRLF";
    case HeadFault::kFolded:
      return "a line of the head begins with white space";
    case HeadFault::kBadField:
      return "a line of the head is not a field";
    case HeadFault::kTooLarge:
      return "the head is too large";
    case HeadFault::kTooManyFields:
      return "the head has too many fields";
  }
  return "";
}

void HeadReader::begin(runtime::Bytes max_head, std::size_t max_fields) {
  *this = HeadReader();
  max_head_ = max_head;
  max_fields_ = max_fields;
}

HeadReader::Got HeadReader::next(std::string_view bytes, Fields& fields) {
  if (bytes.data() != base_) follow(bytes.data(), fields);
  while (scanned_ < bytes.size()) {
    const void* const found = std::memchr(base_ + scanned_, '\n', bytes.size() - scanned_);
    if (found == nullptr) break;
    const auto end = static_cast<runtime::Bytes>(static_cast<const char*>(found) - base_);
    // First: in smaller pieces nobody would have looked further.
    if (end >= max_head_) return broken(HeadFault::kTooLarge);
    // RFC 9112 2.2 lets a recipient take a bare LF as a line end. One that others read differently is a way
    // to smuggle.
    if (end == line_ || base_[end - 1] != '\r') return broken(HeadFault::kBareLineFeed);
    const std::string_view line(base_ + line_, end - 1 - line_);
    line_ = scanned_ = end + 1;
    if (start_line_ == 0) {
      start_line_ = line.size();
      return Got::kStartLine;
    }
    if (line.empty()) return Got::kHead;
    if (!take_field(line, fields)) return Got::kBroken;
  }
  scanned_ = bytes.size();
  return bytes.size() >= max_head_ ? broken(HeadFault::kTooLarge) : Got::kMore;
}

HeadReader::Got HeadReader::broken(HeadFault fault) {
  fault_ = fault;
  return Got::kBroken;
}

/// The buffer has moved what is there to another place: the fields go with it.
void HeadReader::follow(const char* base, Fields& fields) {
  const auto moved = [this, base](std::string_view text) {
    return std::string_view(base + (text.data() - base_), text.size());
  };
  for (Field& field : fields) {
    field.name = moved(field.name);
    field.value = moved(field.value);
  }
  base_ = base;
}

bool HeadReader::take_field(std::string_view line, Fields& fields) {
  const auto field = parse_field_line(line);
  if (!field) {
    fault_ = line.front() == ' ' || line.front() == '\t' ? HeadFault::kFolded : HeadFault::kBadField;
    return false;
  }
  if (fields.size() == max_fields_) {
    fault_ = HeadFault::kTooManyFields;
    return false;
  }
  fields.push_back(*field);
  return true;
}

}  // namespace upstream
