#include "attackers.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.attacked]
command = ["$PYTHON", "$APPS/attacked.py"]
concurrency = 64
)";

struct Field {
  Field() : portherd(play::Supervisor::serve(folder, kConfig)) {
    portherd.wait_ready();
    front = portherd.status().front;
    for (int i = 0; i < 20; ++i) play::get(portherd.port());  // what is made once is made now
  }
  /// Sound requests, spread over the whole attack: each is answered, and the front neither ends nor grows.
  void hold(const std::string& name, play::Attacker attacker) {
    CAPTURE(name);
    const std::uint64_t memory = play::memory_of(front);
    const double cpu = play::cpu_of(front);
    std::uint64_t most = memory;
    int answered = 0;
    for (int i = 0; i < play::Attacker::kSteps; ++i) {
      attacker.wait_for_step();
      answered += play::get(portherd.port()).body == "ok" ? 1 : 0;
      most = std::max(most, play::memory_of(front));
    }
    const double theirs = attacker.stop(), ours = play::cpu_of(front) - cpu;
    MESSAGE(name << ": " << answered << " of " << play::Attacker::kSteps << " answered; grown by "
                 << (most - memory) / 1024 << " KiB; CPU " << ours << " s of the front, " << theirs
                 << " s of the attacker");
    CHECK(answered == play::Attacker::kSteps);
    CHECK(portherd.status().front == front);
    if (!play::is_sanitized()) CHECK(most - memory < 16 << 20);
  }
  play::Folder folder;
  play::Supervisor portherd;
  pid_t front = 0;
};

}  // namespace

TEST_CASE("while an attack goes on, everybody else is served, and memory stays bounded") {
  Field field;
  for (play::Attack attack : play::attacks()) {
    attack.rounds = std::max<std::uint32_t>(play::Attacker::kSteps, static_cast<std::uint32_t>(play::scaled(attack.rounds)));
    field.hold(attack.name, play::Attacker(attack, field.portherd.port()));
  }
}
