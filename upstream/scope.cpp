#include "upstream/scope.h"

#include <algorithm>

#include "runtime/text.h"
#include "upstream/field_set.h"
#include "upstream/grammar.h"
#include "upstream/put.h"
#include "upstream/worker_frames.h"

namespace upstream {
namespace {

/// Written from what the head says, the connection's own, or of trailers that no app is given.
constexpr FieldSet kNotAsField{FieldId::kHost,       FieldId::kContentLength, FieldId::kTransferEncoding,
                               FieldId::kConnection, FieldId::kUpgrade,       FieldId::kTrailer};

/// Writes texts, a NUL behind each, and counts them.
class Texts {
 public:
  explicit Texts(char* at) : at_(at) {}

  void add(std::string_view text) {
    more(text);
    end();
  }
  void add_number(std::uint64_t number) {
    at_ = put_number(at_, number);
    end();
  }
  void add_address(const runtime::PeerAddress& address) {
    at_ = put_address(at_, address);
    end();
  }
  void add_field(const Field& field) {
    for (const char c : field.name) at_ = put(at_, runtime::lower(c));
    end();
    add(field.value);
  }
  /// RFC 9113 8.2.3: in HTTP/2 a cookie may come in crumbs; an app gets it whole.
  void add_cookies(const Fields& fields) {
    bool is_first = true;
    for (const Field& field : fields) {
      if (field.id != FieldId::kCookie) continue;
      is_first ? add("cookie") : more("; ");
      more(field.value);
      is_first = false;
    }
    if (!is_first) end();
  }

  char* at() const { return at_; }
  std::size_t count() const { return count_; }

 private:
  void more(std::string_view text) { at_ = put(at_, text); }
  void end() {
    at_ = put(at_, '\0');
    ++count_;
  }

  char* at_;
  std::size_t count_ = 0;
};

std::size_t room_for(const RequestHead& head, std::span<const Field> ours) {
  constexpr std::size_t kFixed = 256;  // scheme, version, ports, addresses, "content-length" and its number, NULs
  constexpr std::size_t kAroundField = 8;
  std::size_t room = Frame::kHeadSize + kFixed + head.method_text.size() + 2 * head.authority.size() + head.target.size();
  for (const Field& field : head.fields) room += field.name.size() + field.value.size() + kAroundField;
  for (const Field& field : ours) room += field.name.size() + field.value.size() + kAroundField;
  return room;
}

std::string_view scheme(bool is_websocket, bool is_tls) {
  if (is_websocket) return is_tls ? "wss" : "ws";
  return is_tls ? "https" : "http";
}

std::string_view number_of(Version version) {
  if (version == Version::kHttp2) return "2";
  return version == Version::kHttp10 ? "1.0" : "1.1";
}

void add_request(Texts& texts, const RequestHead& head, const EnvironmentFacts& facts) {
  texts.add(scheme(has_member(head.upgrade, "websocket"), facts.is_tls));
  texts.add(number_of(head.version));
  texts.add(head.method_text);
  texts.add(head.path);
  texts.add(head.query);
  texts.add_address(facts.remote);
  texts.add_number(facts.remote.port);
  texts.add(server_name(head.authority));
  texts.add_number(server_port(facts));
}

void add_fields(Texts& texts, const RequestHead& head, std::span<const Field> ours) {
  const bool joins_cookies = head.version == Version::kHttp2;
  for (const Field& field : head.fields) {
    if (!kNotAsField.has(field.id) && !(joins_cookies && field.id == FieldId::kCookie)) texts.add_field(field);
  }
  if (joins_cookies) texts.add_cookies(head.fields);
  for (const Field& field : ours) texts.add_field(field);
}

/// An empty body that the client has announced is announced to the app, too.
void add_length(Texts& texts, const RequestHead& head, Framing framing, std::uint64_t length) {
  const bool is_said = framing == Framing::kNone && find(head.fields, FieldId::kContentLength) != nullptr;
  if (framing != Framing::kLength && !is_said) return;
  texts.add("content-length");
  texts.add_number(framing == Framing::kLength ? length : 0);
}

}  // namespace

bool write_scope(const RequestHead& head, std::span<const Field> ours, const EnvironmentFacts& facts, Framing framing,
                 std::uint64_t length, runtime::ByteQueue& out) {
  char* const begin = out.reserve(room_for(head, ours));
  char* const payload = begin + Frame::kHeadSize;
  Texts texts(payload);
  add_request(texts, head, facts);
  if (!head.authority.empty()) texts.add_field({"host", head.authority});
  add_fields(texts, head, ours);
  add_length(texts, head, framing, length);
  const auto size = static_cast<std::size_t>(texts.at() - payload) - 1;  // no NUL behind the last one
  // One NUL more than we have written came out of the request: it would make other texts of them.
  const auto nuls = static_cast<std::size_t>(std::count(payload, texts.at(), '\0'));
  if (size > kMostHeadFrame || nuls != texts.count()) return false;
  put_frame_head(begin, {.length = static_cast<std::uint32_t>(size),
                         .type = Frame::kScope,
                         .flags = framing == Framing::kNone ? Frame::kLastFlag : std::uint8_t{0}});
  out.wrote(Frame::kHeadSize + size);
  return true;
}

}  // namespace upstream
