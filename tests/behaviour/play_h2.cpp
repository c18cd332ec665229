#include "play_h2.h"

#include <nghttp2/nghttp2.h>

namespace play::h2 {
namespace {

/// RFC 7541 5.1, with a prefix of 7 bits: a string without Huffman.
std::string literal(std::string_view text) {
  constexpr std::size_t kPrefix = 127;
  std::string out;
  if (text.size() < kPrefix) {
    out += static_cast<char>(text.size());
  } else {
    out += static_cast<char>(kPrefix);
    std::size_t rest = text.size() - kPrefix;
    for (; rest >= 128; rest /= 128) out += static_cast<char>(rest % 128 + 128);
    out += static_cast<char>(rest);
  }
  return out.append(text);
}

std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t sum = 0;
  for (std::size_t i = at; i < at + size && i < bytes.size(); ++i)
    sum = sum << 8 | static_cast<unsigned char>(bytes[i]);
  return sum;
}

Fields inflate(nghttp2_hd_inflater* inflater, std::string_view block) {
  Fields fields;
  const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
  for (std::size_t left = block.size();;) {
    nghttp2_nv field{};
    int flags = 0;
    const ssize_t n = nghttp2_hd_inflate_hd2(inflater, &field, &flags, at, left, 1);
    REQUIRE(n >= 0);
    at += n;
    left -= static_cast<std::size_t>(n);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
      fields.emplace_back(std::string(field.name, field.name + field.namelen),
                          std::string(field.value, field.value + field.valuelen));
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    REQUIRE((n > 0 || (flags & NGHTTP2_HD_INFLATE_EMIT) != 0));
  }
  nghttp2_hd_inflate_end_headers(inflater);
  return fields;
}

}  // namespace

std::string number(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  std::string out = number(static_cast<std::uint32_t>(payload.size())).substr(1);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  return out.append(number(stream)).append(payload);
}

std::string setting(std::uint16_t id, std::uint32_t value) {
  return number(id).substr(2) + number(value);
}

std::string block(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out.append(1, '\0').append(literal(name)).append(literal(value));
  return out;
}

std::string preface(std::string_view settings) {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, kNone, 0, settings);
}

std::uint32_t Frame::number(std::size_t at) const {
  REQUIRE(payload.size() >= at + 4);
  return number_at(payload, at, 4);
}

std::string Frame::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

int Frame::status() const {
  const std::string text = field(":status");
  return text.empty() ? 0 : std::stoi(text);
}

void Client::FreeInflater::operator()(nghttp2_hd_inflater* inflater) const {
  nghttp2_hd_inflate_del(inflater);
}

Client::Client(Peer peer, std::optional<std::string> settings) : peer_(std::move(peer)) {
  nghttp2_hd_inflater* made = nullptr;
  REQUIRE(nghttp2_hd_inflate_new(&made) == 0);
  inflater_.reset(made);
  if (settings) send(preface(*settings));
}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

std::optional<Frame> Client::read() {
  constexpr std::size_t kHead = 9;
  const auto has = [this](std::size_t size) {
    while (received_.size() < size) {
      const std::string more = peer_.read_some();
      if (more.empty()) return false;
      received_ += more;
    }
    return true;
  };
  if (!has(kHead)) return std::nullopt;
  const std::size_t size = number_at(received_, 0, 3);
  if (!has(kHead + size)) return std::nullopt;
  Frame frame{.type = static_cast<std::uint8_t>(received_[3]),
              .flags = static_cast<std::uint8_t>(received_[4]),
              .stream = number_at(received_, 5, 4),
              .payload = received_.substr(kHead, size),
              .fields = {}};
  received_.erase(0, kHead + size);
  if (frame.type == kHeaders) frame.fields = inflate(inflater_.get(), frame.payload);
  return frame;
}

std::optional<Frame> Client::read_and_note() {
  auto frame = read();
  if (frame && frame->type == kSettings && !frame->has(kAck)) {
    settings_ += frame->payload;
    send(h2::frame(kSettings, kAck, 0));
  }
  if (frame && frame->type == kWindow) windows_[frame->stream] += frame->number();
  return frame;
}

void Client::wait_for_window(std::uint32_t stream, std::size_t size) {
  constexpr std::size_t kAtFirst = 65'535;
  while (kAtFirst + windows_[stream] < size) {
    const auto frame = read_and_note();
    REQUIRE(frame);
    REQUIRE((frame->type == kWindow || frame->type == kSettings));
  }
}

std::optional<Frame> Client::next_or_end() {
  while (auto frame = read_and_note()) {
    if (frame->type != kSettings && frame->type != kWindow) return frame;
  }
  return std::nullopt;
}

Frame Client::next() {
  auto frame = next_or_end();
  REQUIRE_MESSAGE(frame, "the connection ended");
  return std::move(*frame);
}

Frame Client::next(std::uint8_t type, std::uint32_t stream) {
  for (;;) {
    Frame frame = next();
    if (frame.type == type && frame.stream == stream) return frame;
    REQUIRE_MESSAGE(frame.type != kGoaway, "GOAWAY instead, error " << frame.number(4));
  }
}

std::optional<std::uint32_t> Client::setting(std::uint16_t id) const {
  constexpr std::size_t kEntry = 6;
  for (std::size_t at = 0; at + kEntry <= settings_.size(); at += kEntry) {
    if (number_at(settings_, at, 2) == id) return number_at(settings_, at + 2, 4);
  }
  return std::nullopt;
}

std::string Client::body(std::uint32_t stream) {
  std::string out;
  for (;;) {
    const Frame frame = next(kData, stream);
    out += frame.payload;
    if (frame.has(kEndStream)) return out;
  }
}

}  // namespace play::h2
