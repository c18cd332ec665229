// Clients that mean harm. Each runs in a process of its own, so that its CPU time can be set beside the front's.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "play.h"

namespace play {

/// On each of its connections an attack says its opening, then round after round; who closes it on us is connected to anew.
struct Attack {
  std::string name;
  std::string alpn = {};  ///< over TLS, where this is spoken; empty: plain
  std::string opening;
  std::function<std::string(std::uint32_t)> round;  ///< the n-th on a connection, from 0
  bool reads = true;                                ///< what comes back is taken; else it is left lying
  int connections = 1;                              ///< held at the same time, by turns
  std::uint32_t rounds = 5000;                      ///< in all, at least: it goes on until it is told to stop
  std::uint64_t memory = 16 << 20;                  ///< bytes that the front may grow by meanwhile
};

/// Of HTTP/1.1 and HTTP/2 (in plain by prior knowledge); the slow ones over TLS, too. Frames that lead
/// nowhere: http2_floods_test; handshakes: handshake_flood_test.
std::vector<Attack> attacks();

/// An attack that runs.
class Attacker {
 public:
  Attacker(const Attack& attack, std::uint16_t port);
  ~Attacker();
  Attacker(Attacker&&) noexcept;

  static constexpr int kSteps = 50;
  void wait_for_step();  ///< until it has done another kSteps-th of its rounds
  double stop();         ///< the seconds of CPU that it took

 private:
  Attacker() = default;
  void start(std::uint32_t rounds, const std::function<void(std::uint32_t)>& round);
  pid_t pid_ = -1;
  runtime::Fd progress_;
};

/// Seconds of CPU that this process has taken so far.
double cpu_of(pid_t);

}  // namespace play
