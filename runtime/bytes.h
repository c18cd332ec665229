// Sizes in bytes, written with their unit: 16_KiB.
#pragma once
#include <cstddef>

namespace runtime {

using Bytes = std::size_t;

inline namespace literals {
consteval Bytes operator""_B(unsigned long long n) { return n; }
consteval Bytes operator""_KiB(unsigned long long n) { return n << 10; }
consteval Bytes operator""_MiB(unsigned long long n) { return n << 20; }
consteval Bytes operator""_GiB(unsigned long long n) { return n << 30; }
}  // namespace literals

}  // namespace runtime
