// How many there can be of what has a fixed place: in the memory that supervisor and front share
// (upstream/scoreboard.h), or in one message between them (runtime/channel.h). What one value may be stands
// in conf/keys.h.
#pragma once
#include <cstddef>

namespace conf {

inline constexpr std::size_t kMostApps = 256;
inline constexpr std::size_t kMostWorkers = 4096;      ///< of all apps together, those of `proxy` too
inline constexpr std::size_t kMostWorkersOfApp = 1024;
inline constexpr std::size_t kMostServicesInAll = 1024;     ///< of all apps together
inline constexpr std::size_t kMostThreads = 64;        ///< of the front: each has a socket of every address
inline constexpr std::size_t kMostCertificates = 126;  ///< the whole set is swapped by one message

}  // namespace conf
