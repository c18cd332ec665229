#include <fmt/format.h>

#include "attackers.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[log]
access = "off"
[apps.attacked]
command = ["$PYTHON", "$APPS/attacked.py"]
concurrency = 64
plain_http = "serve"
)";

constexpr int kSteps = play::Attacker::kSteps;

struct FolderWithTls : play::Folder {
  FolderWithTls() { certificate("localhost"); }
};

/// A front of its own for each attack, so that what it grew by is the attack's doing.
struct Field {
  Field() : portherd(play::Supervisor::serve(folder, kConfig)) {
    portherd.wait_ready();
    for (int i = 0; i < 20; ++i) is_served(i % 2 == 0);  // what is made once is made now
  }
  bool is_served(bool over_tls) {
    play::Peer client = over_tls ? play::connect_tls(portherd.tls_port()) : play::connect(portherd.port());
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return client.read_answer().body == "ok";
  }
  FolderWithTls folder;
  play::Supervisor portherd;
};

struct Cost {
  int answered = 0;
  std::uint64_t grown = 0;
  double ours = 0, theirs = 0;  // seconds of CPU
};

/// Sound requests, spread over the whole attack: each is answered, and the front neither ends nor grows.
Cost hold(const play::Attack& attack) {
  CAPTURE(attack.name);
  Field field;
  const bool over_tls = !attack.alpn.empty();
  const pid_t front = field.portherd.status().front;
  const std::uint64_t memory = play::memory_of(front);
  Cost cost{.ours = -play::cpu_of(front)};
  play::Attacker attacker(attack, over_tls ? field.portherd.tls_port() : field.portherd.port());
  for (int i = 0; i < kSteps; ++i) {
    attacker.wait_for_step();
    cost.answered += field.is_served(over_tls) ? 1 : 0;
    cost.grown = std::max(cost.grown, std::max(memory, play::memory_of(front)) - memory);
  }
  cost.theirs = attacker.stop();
  cost.ours += play::cpu_of(front);
  CHECK(cost.answered == kSteps);
  CHECK(field.is_served(over_tls));
  CHECK(field.portherd.status().front == front);
  if (!play::is_sanitized()) CHECK(cost.grown < attack.memory);
  return cost;
}

std::string head_of_table() {
  return fmt::format("{:<46} {:>9} {:>9} {:>10} {:>10} {:>6}\n", "attack", "answered", "grown by",
                     "front CPU", "its CPU", "ratio");
}
std::string row(const std::string& name, const Cost& cost) {
  return fmt::format("{:<46} {:>3} of {:>2} {:>5.1f} MiB {:>8.3f} s {:>8.3f} s {:>6.2f}\n", name,
                     cost.answered, kSteps, static_cast<double>(cost.grown) / (1 << 20), cost.ours,
                     cost.theirs, cost.ours / cost.theirs);
}

}  // namespace

TEST_CASE("while an attack goes on, everybody else is served, and memory stays bounded") {
  std::string table = head_of_table();
  for (play::Attack attack : play::attacks()) {
    attack.rounds = std::max<std::uint32_t>(kSteps, static_cast<std::uint32_t>(play::scaled(attack.rounds)));
    table += row(attack.name, hold(attack));
  }
  MESSAGE("the front's CPU includes its " << kSteps << " answers to others\n" << table);
}
