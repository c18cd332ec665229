#include "supervisor/held_signals.h"

#include <csignal>

namespace supervisor {
namespace {

sigset_t ours() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGCHLD})
    ::sigaddset(&set, number);
  return set;
}

}  // namespace

HeldSignals::HeldSignals() {
  const sigset_t set = ours();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

HeldSignals::~HeldSignals() {
  const sigset_t set = ours();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace supervisor
