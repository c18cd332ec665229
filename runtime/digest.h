// A number that stands for a text or a row of numbers: FNV-1a of 64 bits, the same in every program and on every machine, so it
// may be handed on. Against mistakes, not against people: whoever wants two texts of one number finds them.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace runtime {

class Digest {
 public:
  constexpr Digest& add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    return *this;
  }
  constexpr Digest& add(std::initializer_list<std::uint64_t> numbers) {
    for (const std::uint64_t number : numbers) {
      for (int bit = 0; bit < 64; bit += 8) add_byte(static_cast<unsigned char>(number >> bit));
    }
    return *this;
  }
  /// Each, and where it ends.
  constexpr Digest& add_all(const auto& texts) {
    for (const std::string_view text : texts) add(text).add_byte(0);
    return *this;
  }
  constexpr std::uint64_t value() const { return value_; }

 private:
  constexpr void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  std::uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace runtime
