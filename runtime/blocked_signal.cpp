#include "runtime/blocked_signal.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

namespace runtime {
namespace {

Fd block(int signal) {
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, signal);
  ::sigprocmask(SIG_BLOCK, &one, nullptr);
  ::signal(signal, SIG_IGN);  // by other threads, whose mask is another; blocked it is kept all the same
  return Fd(::signalfd(-1, &one, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

BlockedSignal::BlockedSignal(Loop& loop, int signal, Call<> on_signal)
    : on_signal_(on_signal),
      fd_(block(signal)),
      watch_(loop, fd_.get(), bind<&BlockedSignal::on_readable>(this), {}) {
  watch_.want_read(true);
}

void BlockedSignal::on_readable() {
  signalfd_siginfo about{};
  if (::read(fd_.get(), &about, sizeof about) == sizeof about) on_signal_();
}

}  // namespace runtime
