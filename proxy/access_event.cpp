#include "proxy/access_event.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <ctime>

namespace proxy {
namespace {

using runtime::Microseconds;
using upstream::Version;

constexpr std::string_view kHex = "0123456789abcdef";

template <class Number>
void put_number(std::string& line, Number number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  line.append(digits.data(), end);
}

void put_digits(std::string& line, long number, int digits) {
  for (long unit = 1; digits > 0; --digits) {
    unit = 1;
    for (int i = 1; i < digits; ++i) unit *= 10;
    line += static_cast<char>('0' + number / unit % 10);
  }
}

/// The parts of a time that change once a second, kept as text.
struct Second {
  std::time_t second = -1;
  std::string rfc3339;  // "2026-11-24T20:11:41"
  std::string apache;   // "10/Oct/2000:13:55:36 -0700"
};

void put_apache_time(std::string& line, std::time_t second) {
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr long kMinute = 60;
  std::tm t{};
  ::localtime_r(&second, &t);
  put_digits(line, t.tm_mday, 2);
  line.append(1, '/').append(kMonths[static_cast<std::size_t>(t.tm_mon)]).append(1, '/');
  put_digits(line, t.tm_year + 1900L, 4);
  for (const int part : {t.tm_hour, t.tm_min, t.tm_sec}) {
    line += ':';
    put_digits(line, part, 2);
  }
  const long minutes = std::abs(t.tm_gmtoff) / kMinute;
  line.append(t.tm_gmtoff < 0 ? " -" : " +");
  put_digits(line, minutes / kMinute * 100 + minutes % kMinute, 4);
}

const Second& second_of(runtime::WallTime time) {
  constexpr std::size_t kUpToSeconds = 19;
  thread_local Second known;
  const std::time_t second = std::chrono::system_clock::to_time_t(time);
  if (known.second != second) {
    known.second = second;
    known.rfc3339 = runtime::rfc3339(time).substr(0, kUpToSeconds);
    known.apache.clear();
    put_apache_time(known.apache, second);
  }
  return known;
}

void put_address(std::string& line, const runtime::PeerAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text;
  const bool is_ip = address.family == AF_INET || address.family == AF_INET6;
  if (is_ip && ::inet_ntop(address.family, address.bytes, text.data(), text.size()) != nullptr) {
    line.append(text.data());
  } else {
    line.append("unix");
  }
}

std::string_view who(Fault fault) {
  switch (fault) {
    case Fault::kNobody:
      return "";
    case Fault::kClient:
      return "client: ";
    case Fault::kApp:
      return "app: ";
    case Fault::kUs:
      return "us: ";
  }
  return "";
}

unsigned char at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}

/// How many bytes of `text` are its first character in UTF-8 (Unicode table 3-7: nothing overlong, no
/// surrogates); 0: none are.
std::size_t utf8_length(std::string_view text) {
  const auto between = [text](std::size_t i, int low, int high) {
    return at(text, i) >= low && at(text, i) <= high;
  };
  const unsigned char lead = at(text, 0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return between(1, 0x80, 0xbf) ? 2 : 0;
  if ((lead & 0xf0) == 0xe0) {
    const bool second = between(1, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf);
    return second && between(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool second = between(1, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf);
    return second && between(2, 0x80, 0xbf) && between(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

bool is_plain_json(char c) {
  return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/// One character of a JSON string that is not plain ASCII; returns how many bytes it was.
std::size_t put_json_character(std::string& line, std::string_view text) {
  const unsigned char c = at(text, 0);
  if (c == '"' || c == '\\') {
    line.append(1, '\\').append(1, static_cast<char>(c));
  } else if (c < ' ' || c == 0x7f) {
    line.append("\\u00").append(1, kHex[c >> 4]).append(1, kHex[c & 15]);
  } else if (const std::size_t length = utf8_length(text); length > 0) {
    line.append(text.substr(0, length));
    return length;
  } else {
    line.append("\\ufffd");
  }
  return 1;
}

void put_json_string(std::string& line, std::string_view text) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain_json(text[plain])) ++plain;
    line.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(put_json_character(line, text));
  }
}

/// ,"key":
void put_key(std::string& line, std::string_view key) {
  line.append(",\"").append(key).append("\":");
}

void put_text(std::string& line, std::string_view key, std::string_view text) {
  put_key(line, key);
  line += '"';
  put_json_string(line, text);
  line += '"';
}

template <class Number>
void put_figure(std::string& line, std::string_view key, Number number) {
  put_key(line, key);
  put_number(line, number);
}

/// What there is none of is null: 0 would be a claim.
template <class Number>
void put_known(std::string& line, std::string_view key, Number number) {
  if (number != 0) return put_figure(line, key, number);
  put_key(line, key);
  line.append("null");
}

void put_milliseconds(std::string& line, std::string_view key, Microseconds time) {
  constexpr long kMilli = 1000;
  put_key(line, key);
  if (time.count() < 0) {
    line.append("null");
    return;
  }
  put_number(line, time.count() / kMilli);
  line += '.';
  put_digits(line, time.count() % kMilli, 3);
}

/// As ap_escape_logitem() of Apache does it.
void put_apache_text(std::string& line, std::string_view text) {
  static constexpr std::string_view kLetters = "\b\n\r\t\v", kNames = "bnrtv";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line.append(1, '\\').append(1, c);
    } else if (byte >= ' ' && byte < 0x7f) {
      line += c;
    } else if (const std::size_t letter = kLetters.find(c); letter != kLetters.npos) {
      line.append(1, '\\').append(1, kNames[letter]);
    } else {
      line.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    }
  }
}

void put_quoted(std::string& line, std::string_view text) {
  line += '"';
  put_apache_text(line, text.empty() ? "-" : text);
  line += '"';
}

void put_request_line(std::string& line, const AccessEvent& event) {
  if (event.method.empty()) return put_quoted(line, {});  // nothing that could be read as one
  line += '"';
  put_apache_text(line, event.method);
  line += ' ';
  put_apache_text(line, event.target);
  line.append(1, ' ').append(upstream::protocol(event.version)).append(1, '"');
}

}  // namespace

void append_json(const AccessEvent& event, std::string& line) {
  constexpr long kSecond = 1000;
  const auto since_epoch = std::chrono::duration_cast<runtime::Milliseconds>(event.time.time_since_epoch());
  line.append("{\"time\":\"").append(second_of(event.time).rfc3339).append(1, '.');
  put_digits(line, since_epoch.count() % kSecond, 3);
  line.append("Z\"");
  put_text(line, "id", event.id);
  put_text(line, "app", event.app);
  put_known(line, "generation", event.generation);
  put_known(line, "worker", event.worker);
  put_known(line, "pid", event.pid);
  put_key(line, "client");
  line += '"';
  put_address(line, event.client);
  line += '"';
  put_text(line, "method", event.method);
  put_text(line, "host", event.host);
  put_text(line, "path", event.target);
  put_text(line, "protocol", upstream::protocol(event.version));
  put_text(line, "tls", event.tls);
  put_figure(line, "status", event.status);
  put_figure(line, "bytes_in", event.bytes_in);
  put_figure(line, "bytes_out", event.bytes_out);
  put_milliseconds(line, "queue_ms", event.queue);
  put_milliseconds(line, "first_byte_ms", event.first_byte);
  put_milliseconds(line, "total_ms", event.total);
  put_figure(line, "attempts", event.attempts);
  put_key(line, "outcome");
  line.append(1, '"').append(event.outcome == kOk ? "ok" : who(event.outcome.fault));
  put_json_string(line, event.outcome.cause);
  line += '"';
  put_text(line, "referer", event.referer);
  put_text(line, "user_agent", event.user_agent);
  line.append("}\n");
}

void append_combined(const AccessEvent& event, std::string& line) {
  put_address(line, event.client);
  line.append(" - - [").append(second_of(event.time).apache).append("] ");
  put_request_line(line, event);
  line += ' ';
  put_number(line, event.status);
  line += ' ';
  if (event.bytes_out == 0) {
    line += '-';  // %b
  } else {
    put_number(line, event.bytes_out);
  }
  line += ' ';
  put_quoted(line, event.referer);
  line += ' ';
  put_quoted(line, event.user_agent);
  line += '\n';
}

}  // namespace proxy
