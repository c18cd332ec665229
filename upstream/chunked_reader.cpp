#include "upstream/chunked_reader.h"

#include <algorithm>
#include <cstring>

#include "upstream/grammar.h"

namespace upstream {
namespace {

constexpr std::size_t kMostDigits = 16;  // of 64 bits

/// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int letter = c | 0x20;
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

}  // namespace

void ChunkedReader::begin() {
  *this = ChunkedReader();
}

Step ChunkedReader::next(runtime::InBuffer& in, runtime::Slice& body) {
  for (;;) {
    switch (state_) {
      case State::kSize:
      case State::kTrailer: {
        const Step step = read_line(in);
        if (step == Step::kMore || step == Step::kBroken) return step;
        break;
      }
      case State::kData:
        if (in.is_empty()) return Step::kMore;
        body = in.take(static_cast<runtime::Bytes>(std::min<std::uint64_t>(left_, in.bytes().size())));
        left_ -= body.size;
        if (left_ == 0) state_ = State::kDataEnd;
        while (state_ == State::kDataEnd && take_small_chunk(in, body)) {
        }
        return Step::kBody;
      case State::kDataEnd:
        if (!take_data_end(in)) return state_ == State::kBroken ? Step::kBroken : Step::kMore;
        break;
      case State::kEnd:
        return Step::kEnd;
      case State::kBroken:
        return Step::kBroken;
    }
  }
}

Step ChunkedReader::broken(std::string_view complaint) {
  complaint_ = complaint;
  state_ = State::kBroken;
  return Step::kBroken;
}

/// A chunk's size with its extensions, or a trailer. kBody here only means: go on.
Step ChunkedReader::read_line(runtime::InBuffer& in) {
  const std::string_view bytes = in.bytes();
  const char* const from = bytes.data() + scanned_;
  const void* const found =
      bytes.size() == scanned_ ? nullptr : std::memchr(from, '\n', bytes.size() - scanned_);
  if (found == nullptr) {
    scanned_ = bytes.size();
    // The line itself needs none of the budget only as far as it is a size: digits and CR.
    if (scanned_ > kMostExtra - extra_ + kMostDigits + 1)
      return broken("chunk extensions and trailers are too long");
    return Step::kMore;
  }
  const auto end = static_cast<runtime::Bytes>(static_cast<const char*>(found) - bytes.data());
  if (end == 0 || bytes[end - 1] != '\r') return broken("a line of the chunked coding does not end in CRLF");
  scanned_ = 0;
  const std::string_view line = bytes.substr(0, end - 1);
  const bool is_sound = state_ == State::kSize ? take_size(line) : take_trailer(line);
  in.consume(end + 1);
  return is_sound ? Step::kBody : Step::kBroken;
}

bool ChunkedReader::take_size(std::string_view line) {
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < line.size() && digits <= kMostDigits; ++digits) {
    const int value = hex_value(line[digits]);
    if (value < 0) break;
    size = size << 4 | static_cast<std::uint64_t>(value);
  }
  if (digits == 0 || digits > kMostDigits) return broken("a chunk's size is not a number"), false;
  const std::string_view extension = line.substr(digits);
  if (extension.size() > kMostExtra - extra_)
    return broken("chunk extensions and trailers are too long"), false;
  if (!is_chunk_extension(extension))
    return broken("a chunk's size is followed by what is no extension"), false;
  extra_ += extension.size();
  left_ = size;
  state_ = size == 0 ? State::kTrailer : State::kData;
  return true;
}

bool ChunkedReader::take_trailer(std::string_view line) {
  if (line.empty()) {
    state_ = State::kEnd;
    return true;
  }
  if (line.size() + 2 > kMostExtra - extra_)
    return broken("chunk extensions and trailers are too long"), false;
  if (!parse_field_line(line)) return broken("a trailer is not a field"), false;
  extra_ += line.size() + 2;
  trailers_.append(line).append("\r\n");
  return true;
}

/// The end of this chunk and the whole of the next one, if that is short: its data joins the piece, because a piece costs
/// the same whatever its size. Everything that is not plain is left to the other steps.
bool ChunkedReader::take_small_chunk(runtime::InBuffer& in, runtime::Slice& body) {
  const std::string_view bytes = in.bytes();
  if (bytes.size() < std::strlen("\r\n1\r\nx") || bytes[0] != '\r' || bytes[1] != '\n') return false;
  int size = hex_value(bytes[2]);
  std::size_t at = 3;
  if (const int digit = hex_value(bytes[at]); digit >= 0) {
    size = size << 4 | digit;
    ++at;
  }
  if (size <= 0 || bytes[at] != '\r' || bytes[at + 1] != '\n') return false;
  const auto data = static_cast<runtime::Bytes>(size);
  if (bytes.size() - at - 2 < data) return false;
  in.take_into(body, at + 2, data);
  return true;
}

bool ChunkedReader::take_data_end(runtime::InBuffer& in) {
  const std::string_view bytes = in.bytes();
  if (bytes.empty()) return false;
  if (bytes[0] != '\r' || (bytes.size() > 1 && bytes[1] != '\n')) {
    return broken("a chunk's data is not as long as its size says"), false;
  }
  if (bytes.size() < 2) return false;
  in.consume(2);
  state_ = State::kSize;
  return true;
}

}  // namespace upstream
