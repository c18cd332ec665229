#include "upstream/environment.h"

#include <algorithm>
#include <array>

#include "runtime/text.h"
#include "upstream/field_set.h"
#include "upstream/put.h"
#include "upstream/worker_frames.h"

namespace upstream {
namespace {

/// Said in other keys, or the connection's own: they have no HTTP_ key of their own.
constexpr FieldSet kNotAsField{FieldId::kHost,       FieldId::kContentLength, FieldId::kTransferEncoding,
                               FieldId::kConnection, FieldId::kContentType,   FieldId::kUpgrade};

/// RFC 3875 4.1.18: upper case, and '_' for '-'.
constexpr std::array<char, 256> make_key_chars() {
  std::array<char, 256> chars{};
  for (std::size_t c = 0; c < chars.size(); ++c) {
    const char as_char = static_cast<char>(c);
    chars[c] = c >= 'a' && c <= 'z' ? static_cast<char>(c & 0xdf) : as_char == '-' ? '_' : as_char;
  }
  return chars;
}
constexpr std::array<char, 256> kKeyChars = make_key_chars();

/// The fields of the client and ours, as one list.
class AllFields {
 public:
  AllFields(const Fields& theirs, std::span<const Field> ours) : theirs_(theirs), ours_(ours) {}
  std::size_t size() const { return theirs_.size() + ours_.size(); }
  const Field& operator[](std::size_t i) const {
    return i < theirs_.size() ? theirs_[i] : ours_[i - theirs_.size()];
  }

 private:
  const Fields& theirs_;
  std::span<const Field> ours_;
};

bool have_same_name(const Field& a, const Field& b) {
  return a.id == b.id && (a.id != FieldId::kOther || runtime::equals_ignoring_case(a.name, b.name));
}

bool stands_before(const AllFields& fields, std::size_t i) {
  for (std::size_t j = 0; j < i; ++j) {
    if (have_same_name(fields[j], fields[i])) return true;
  }
  return false;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = runtime::lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// '%' without two digits behind it stands for itself, as in every server that Python apps know.
char* put_decoded(char* at, std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool may_be_code = path[i] == '%' && path.size() - i > 2;
    const int high = may_be_code ? hex_value(path[i + 1]) : -1;
    const int low = may_be_code ? hex_value(path[i + 2]) : -1;
    if (high < 0 || low < 0) {
      *at++ = path[i];
    } else {
      *at++ = static_cast<char>(high << 4 | low);
      i += 2;
    }
  }
  return at;
}

/// Host without port, brackets and all; SERVER_NAME may not be empty.
std::string_view server_name(std::string_view authority) {
  if (authority.empty()) return "localhost";
  if (authority.front() == '[') return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

std::string_view protocol_of(Version version) {
  switch (version) {
    case Version::kHttp10:
      return "HTTP/1.0";
    case Version::kHttp11:
      return "HTTP/1.1";
    case Version::kHttp2:
      return "HTTP/2.0";
  }
  return "";
}

/// Writes "key NUL value", joined by NUL, and counts the pairs.
class Pairs {
 public:
  explicit Pairs(char* at) : at_(at) {}

  void add(std::string_view key, std::string_view value) {
    begin(key);
    at_ = put(at_, value);
  }
  void add_number(std::string_view key, std::uint64_t n) {
    begin(key);
    at_ = put_number(at_, n);
  }
  void add_decoded(std::string_view key, std::string_view path) {
    begin(key);
    at_ = put_decoded(at_, path);
  }
  void add_address(std::string_view key, const runtime::PeerAddress& address) {
    begin(key);
    at_ = put_address(at_, address);
  }
  /// HTTP_NAME, with the values of all later fields of this name.
  void add_field(const AllFields& fields, std::size_t i) {
    const Field& field = fields[i];
    if (count_++ > 0) at_ = put(at_, '\0');
    at_ = put(at_, "HTTP_");
    at_ = std::transform(field.name.begin(), field.name.end(), at_,
                         [](char c) { return kKeyChars[static_cast<unsigned char>(c)]; });
    at_ = put(at_, '\0');
    put_values(fields, i);
  }
  void add_values(std::string_view key, const AllFields& fields, std::size_t i) {
    begin(key);
    put_values(fields, i);
  }

  char* end() const { return at_; }
  std::size_t count() const { return count_; }

 private:
  void begin(std::string_view key) {
    if (count_++ > 0) at_ = put(at_, '\0');
    at_ = put(at_, key);
    at_ = put(at_, '\0');
  }
  /// RFC 9110 5.3; cookies are joined by "; " (RFC 9113 8.2.3).
  void put_values(const AllFields& fields, std::size_t i) {
    at_ = put(at_, fields[i].value);
    for (std::size_t j = i + 1; j < fields.size(); ++j) {
      if (!have_same_name(fields[j], fields[i])) continue;
      at_ = put(at_, fields[i].id == FieldId::kCookie ? "; " : ",");
      at_ = put(at_, fields[j].value);
    }
  }

  char* at_;
  std::size_t count_ = 0;
};

std::size_t room_for(const RequestHead& head, const AllFields& fields) {
  constexpr std::size_t kFixed = 512;  // the keys and short values below
  constexpr std::size_t kAroundName =
      16;  // "HTTP_", two NULs, a separator; "CONTENT_TYPE" for a shorter name
  std::size_t room = Frame::kHeadSize + kFixed + head.method_text.size() + 2 * head.authority.size() +
                     3 * head.target.size();
  for (std::size_t i = 0; i < fields.size(); ++i)
    room += fields[i].name.size() + fields[i].value.size() + kAroundName;
  return room;
}

void add_request(Pairs& pairs, const RequestHead& head, const EnvironmentFacts& facts) {
  const std::uint16_t scheme_port = facts.is_tls ? 443 : 80;
  pairs.add("REQUEST_METHOD", head.method_text);
  pairs.add("SCRIPT_NAME", "");
  pairs.add_decoded("PATH_INFO", head.path);
  pairs.add("QUERY_STRING", head.query);
  pairs.add("REQUEST_URI", head.target);
  pairs.add("SERVER_NAME", server_name(head.authority));
  pairs.add_number("SERVER_PORT", facts.server_port > 0 ? facts.server_port : scheme_port);
  pairs.add("SERVER_PROTOCOL", protocol_of(head.version));
  pairs.add_address("REMOTE_ADDR", facts.remote);
  pairs.add_number("REMOTE_PORT", facts.remote.port);
  pairs.add("wsgi.url_scheme", facts.is_tls ? "https" : "http");
  if (!head.authority.empty()) pairs.add("HTTP_HOST", head.authority);
}

void add_body(Pairs& pairs, const AllFields& fields, Framing framing, std::uint64_t length) {
  bool has_type = false;
  bool says_length = framing == Framing::kLength;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    // An empty body that the client has announced.
    says_length = says_length || (framing == Framing::kNone && fields[i].id == FieldId::kContentLength);
    if (fields[i].id != FieldId::kContentType || has_type) continue;
    pairs.add_values("CONTENT_TYPE", fields, i);
    has_type = true;
  }
  if (says_length) pairs.add_number("CONTENT_LENGTH", framing == Framing::kLength ? length : 0);
}

void add_fields(Pairs& pairs, const AllFields& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!kNotAsField.has(fields[i].id) && !stands_before(fields, i)) pairs.add_field(fields, i);
  }
}

}  // namespace

bool write_environment(const RequestHead& head, std::span<const Field> ours, const EnvironmentFacts& facts,
                       Framing framing, std::uint64_t length, runtime::ByteQueue& out) {
  const AllFields fields(head.fields, ours);
  char* const begin = out.reserve(room_for(head, fields));
  char* const payload = begin + Frame::kHeadSize;
  Pairs pairs(payload);
  add_request(pairs, head, facts);
  add_body(pairs, fields, framing, length);
  add_fields(pairs, fields);
  const auto size = static_cast<std::size_t>(pairs.end() - payload);
  // One NUL more than between the pairs and their halves came out of the request: it would make other pairs
  // of them.
  const auto separators = static_cast<std::size_t>(std::count(payload, pairs.end(), '\0'));
  if (size > kMostHeadFrame || separators != 2 * pairs.count() - 1) return false;
  put_frame_head(begin, {.length = static_cast<std::uint32_t>(size),
                         .type = Frame::kRequest,
                         .flags = framing == Framing::kNone ? Frame::kLastFlag : std::uint8_t{0}});
  out.wrote(Frame::kHeadSize + size);
  return true;
}

}  // namespace upstream
