// Randomness from the kernel (getrandom(2)): for jitter and names. Keys and nonces are OpenSSL's.
#pragma once
#include <cstdint>

namespace runtime {

std::uint64_t random_bits();

/// The same, but drawn from the kernel 256 bytes at a time by each thread: for what every request needs. Not
/// in a process that forks and goes on: the child would draw what its parent draws.
std::uint64_t random_bits_from_stock();

/// Evenly spread from 0 up to, not including, 1.
double random_unit();

}  // namespace runtime
