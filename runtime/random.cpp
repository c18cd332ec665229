#include "runtime/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace runtime {

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  // Eight bytes are never cut short (getrandom(2)); it fails only where the kernel has no such call.
  while (::getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) {
    if (errno != EINTR) std::abort();
  }
  return bits;
}

std::uint64_t random_bits_from_stock() {
  // Up to 256 bytes are never cut short; what a signal has cut is drawn again.
  thread_local std::array<std::uint64_t, 32> stock;
  thread_local std::size_t left = 0;
  if (left == 0) {
    while (::getrandom(stock.data(), sizeof stock, 0) != static_cast<ssize_t>(sizeof stock)) {
      if (errno != EINTR) std::abort();
    }
    left = stock.size();
  }
  return stock[--left];
}

double random_unit() {
  constexpr int kMantissa = 53;  // bits that a double holds exactly
  return static_cast<double>(random_bits() >> (64 - kMantissa)) /
         static_cast<double>(std::uint64_t{1} << kMantissa);
}

}  // namespace runtime
