// What a request for a file asks beyond the file: conditions (RFC 9110 13), a range (14), codings (12.5.3);
// and what the answer is once the file is known. Pure. It holds copies, because the file is looked for on
// another thread (file_reader.h).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "upstream/message.h"

namespace proxy {

enum class Coding : std::uint8_t { kNone, kBrotli, kGzip };

/// Accept-Encoding in thousandths; 0: not wanted.
struct Codings {
  std::uint16_t brotli = 0, gzip = 0;
};
Codings accepted_codings(const upstream::Fields& fields);

/// A file as it is on the disk, or its coded sibling.
struct FileFacts {
  std::uint64_t size = 0;
  std::int64_t modified = 0;  ///< seconds since 1970
  std::int64_t nanoseconds = 0;
  Coding coding = Coding::kNone;
};

/// RFC 9110 8.8.3: from size, time of change and coding. Weak (`W/`) while the file may yet change within the
/// tick of the clock in which it was changed last. Empty where the time says nothing: packers that want the
/// same bytes each time set it to 0 or 1, and two releases would have one tag.
std::string entity_tag(const FileFacts& file, std::int64_t now);
/// RFC 9110 8.8.2, and empty as above.
std::string last_modified(const FileFacts& file);

struct FileRequest {
  bool is_head = false;
  Codings codings;
  // As they came, several of a name joined by ", "; nothing: absent.
  std::optional<std::string> if_match, if_none_match, if_modified_since, if_unmodified_since, if_range, range;

  /// `head` is for GET or HEAD.
  static FileRequest of(const upstream::RequestHead& head);
};

/// What to answer: `status` is 200, 206, 304, 412 or 416; with 200 and 206 these bytes of the file.
struct FileVerdict {
  std::uint16_t status = 200;
  std::uint64_t first = 0, size = 0;
};
/// The order of RFC 9110 13.2.2. `tag` and `modified` are what entity_tag() and last_modified() gave.
FileVerdict judge(const FileRequest& request, const FileFacts& file, std::string_view tag,
                  std::string_view modified);

/// RFC 9110 14.1.2. kIgnored: not a range of bytes, not well-formed, or more than one: then the whole is the
/// answer.
struct ByteRange {
  enum class Kind : std::uint8_t { kIgnored, kUnsatisfiable, kGood } kind = Kind::kIgnored;
  std::uint64_t first = 0, size = 0;
  bool operator==(const ByteRange&) const = default;
};
ByteRange parse_range(std::string_view value, std::uint64_t file_size);

}  // namespace proxy
