#include "upstream/environment.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "runtime/text.h"
#include "upstream/field_set.h"
#include "upstream/put.h"
#include "upstream/worker_frames.h"

namespace upstream {
namespace {

/// Said in other keys, the connection's own, or of trailers that no environment has: they have no HTTP_ key of their own.
constexpr FieldSet kNotAsField{FieldId::kHost,       FieldId::kContentLength, FieldId::kTransferEncoding,
                               FieldId::kConnection, FieldId::kContentType,   FieldId::kUpgrade,
                               FieldId::kTrailer};

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

bool have_same_name(const Field& a, const Field& b) {
  return a.id == b.id && (a.id != FieldId::kOther || runtime::equals_ignoring_case(a.name, b.name));
}

/// The fields of the client and ours, as one list in which names may stand more than once.
class AllFields {
 public:
  AllFields(const Fields& theirs, std::span<const Field> ours) : theirs_(theirs), ours_(ours) {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      repeated_ |= seen & mark_of((*this)[i]);
      seen |= mark_of((*this)[i]);
    }
  }
  std::size_t size() const { return theirs_.size() + ours_.size(); }
  const Field& operator[](std::size_t i) const {
    return i < theirs_.size() ? theirs_[i] : ours_[i - theirs_.size()];
  }

  bool stands_before(std::size_t i) const {
    if (!may_stand_twice(i)) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (have_same_name((*this)[j], (*this)[i])) return true;
    }
    return false;
  }
  /// The next place of the name at `i`, behind `j`; size(): none.
  std::size_t next_place(std::size_t i, std::size_t j) const {
    if (!may_stand_twice(i)) return size();
    for (++j; j < size(); ++j) {
      if (have_same_name((*this)[j], (*this)[i])) return j;
    }
    return size();
  }

 private:
  /// One bit of 64, the same for one name in any case; other names may share it.
  static std::uint64_t mark_of(const Field& field) {
    if (field.id != FieldId::kOther) return std::uint64_t{1} << static_cast<unsigned>(field.id);
    const auto last =
        static_cast<unsigned char>(field.name.empty() ? '\0' : runtime::lower(field.name.back()));
    return std::uint64_t{1} << ((field.name.size() * 5 + last) % 64);
  }
  /// Almost no request has a name twice: then no two names are ever compared.
  bool may_stand_twice(std::size_t i) const { return (repeated_ & mark_of((*this)[i])) != 0; }

  const Fields& theirs_;
  std::span<const Field> ours_;
  std::uint64_t repeated_ = 0;  // marks that more than one field has
};

/// Eight bytes at a time: a zero byte is the only one whose high bit is not set by any of these terms.
std::size_t count_nul(const char* at, const char* end) {
  constexpr std::uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
  std::size_t count = 0;
  for (; end - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    count += static_cast<std::size_t>(std::popcount(~(((word & kLow) + kLow) | word | kLow)));
  }
  return count + static_cast<std::size_t>(std::count(at, end, '\0'));
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

/// Writes "key NUL value NUL", and counts the pairs. A key is a literal, whose NUL is written with it.
class Pairs {
 public:
  explicit Pairs(char* at) : at_(at) {}

  template <std::size_t n>
  void add(const char (&key)[n], std::string_view value) {
    begin(key);
    at_ = put(at_, value);
    end_value();
  }
  template <std::size_t n>
  void add_number(const char (&key)[n], std::uint64_t number) {
    begin(key);
    at_ = put_number(at_, number);
    end_value();
  }
  template <std::size_t n>
  void add_decoded(const char (&key)[n], std::string_view path) {
    begin(key);
    at_ = put_decoded(at_, path);
    end_value();
  }
  template <std::size_t n>
  void add_address(const char (&key)[n], const runtime::PeerAddress& address) {
    begin(key);
    at_ = put_address(at_, address);
    end_value();
  }
  /// With the values of all later fields of this name.
  template <std::size_t n>
  void add_values(const char (&key)[n], const AllFields& fields, std::size_t i) {
    begin(key);
    put_values(fields, i);
    end_value();
  }
  /// The same with the key HTTP_NAME.
  void add_field(const AllFields& fields, std::size_t i) {
    at_ = put(at_, "HTTP_");
    for (const char c : fields[i].name) *at_++ = kKeyChars[static_cast<unsigned char>(c)];
    *at_++ = '\0';
    put_values(fields, i);
    end_value();
  }

  char* end() const { return at_; }
  std::size_t count() const { return count_; }

 private:
  template <std::size_t n>
  void begin(const char (&key)[n]) {
    std::memcpy(at_, key, n);
    at_ += n;
  }
  void end_value() {
    *at_++ = '\0';
    ++count_;
  }
  /// RFC 9110 5.3; cookies are joined by "; " (RFC 9113 8.2.3).
  void put_values(const AllFields& fields, std::size_t i) {
    at_ = put(at_, fields[i].value);
    for (std::size_t j = fields.next_place(i, i); j < fields.size(); j = fields.next_place(i, j)) {
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
  pairs.add("REQUEST_METHOD", head.method_text);
  pairs.add("SCRIPT_NAME", "");
  pairs.add_decoded("PATH_INFO", head.path);
  pairs.add("QUERY_STRING", head.query);
  pairs.add("REQUEST_URI", head.target);
  pairs.add("SERVER_NAME", server_name(head.authority));
  pairs.add_number("SERVER_PORT", server_port(facts));
  pairs.add("SERVER_PROTOCOL", protocol(head.version));
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
    if (!kNotAsField.has(fields[i].id) && !fields.stands_before(i)) pairs.add_field(fields, i);
  }
}

}  // namespace

std::string_view server_name(std::string_view authority) {
  if (authority.empty()) return "localhost";
  if (authority.front() == '[') return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

std::uint16_t server_port(const EnvironmentFacts& facts) {
  if (facts.server_port > 0) return facts.server_port;
  return facts.is_tls ? 443 : 80;
}

bool write_environment(const RequestHead& head, std::span<const Field> ours, const EnvironmentFacts& facts,
                       Framing framing, std::uint64_t length, runtime::ByteQueue& out) {
  const AllFields fields(head.fields, ours);
  char* const begin = out.reserve(room_for(head, fields));
  char* const payload = begin + Frame::kHeadSize;
  Pairs pairs(payload);
  add_request(pairs, head, facts);
  add_body(pairs, fields, framing, length);
  add_fields(pairs, fields);
  const auto size = static_cast<std::size_t>(pairs.end() - payload) - 1;  // no NUL behind the last pair
  // One NUL more than we have written came out of the request: it would make other pairs of them.
  if (size > kMostHeadFrame || count_nul(payload, pairs.end()) != 2 * pairs.count()) return false;
  put_frame_head(begin, {.length = static_cast<std::uint32_t>(size),
                         .type = Frame::kRequest,
                         .flags = framing == Framing::kNone ? Frame::kLastFlag : std::uint8_t{0}});
  out.wrote(Frame::kHeadSize + size);
  return true;
}

}  // namespace upstream
