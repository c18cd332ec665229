#include "steady_load.h"

#include "steady_client.h"

namespace play {

std::string Tally::text() const {
  std::string text = std::to_string(answered) + " answered, " + std::to_string(failed) + " failed, " +
                     std::to_string(repeated) + " repeated, over " + std::to_string(opened) + " connections";
  for (const std::string& failure : failures) text += "\n  " + failure;
  return text;
}

SteadyLoad::SteadyLoad(const Supervisor& portherd, Question question, Crowd crowd)
    : question_(std::move(question)) {
  // To a connection that has ended TLS writes without MSG_NOSIGNAL. A thread has the mask of the one that makes it.
  sigset_t broken_pipe, before;
  ::sigemptyset(&broken_pipe);
  ::sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  const std::uint16_t port = portherd.port(), tls_port = portherd.tls_port();
  for (std::size_t i = 0; i < crowd.plain; ++i)
    clients_.emplace_back([=, this] { ask_http1(*this, port, false); });
  for (std::size_t i = 0; i < crowd.tls; ++i)
    clients_.emplace_back([=, this] { ask_http1(*this, tls_port, true); });
  for (std::size_t i = 0; i < crowd.h2; ++i)
    clients_.emplace_back([=, this] { ask_http2(*this, tls_port, crowd.streams); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

SteadyLoad::~SteadyLoad() {
  stop();
}

void SteadyLoad::wait_for(std::uint64_t more) {
  std::unique_lock lock(mutex_);
  const std::uint64_t enough = tally_.answered + more;
  const bool is_enough = changed_.wait_for(lock, kPatience, [&] { return tally_.answered >= enough; });
  REQUIRE_MESSAGE(is_enough, "the load stands still: " << tally_.text());
}

Tally SteadyLoad::so_far() {
  const std::lock_guard lock(mutex_);
  return tally_;
}

Tally SteadyLoad::stop() {
  is_enough_ = true;
  for (std::thread& client : clients_) client.join();
  clients_.clear();
  return tally_;
}

void SteadyLoad::stop_unhurt() {
  const Tally tally = stop();
  MESSAGE(tally.text());
  CHECK(tally.answered > 0);
  CHECK(tally.failed == 0);
  CHECK(tally.repeated == 0);
}

void SteadyLoad::opened() {
  const std::lock_guard lock(mutex_);
  ++tally_.opened;
}

void SteadyLoad::answered(int status, std::string_view body) {
  if (status != 200)
    return failed("status " + std::to_string(status) + ": " + std::string(body.substr(0, 200)));
  if (!question_.is_answer(body)) return failed("another body: " + std::string(body.substr(0, 200)));
  const std::lock_guard lock(mutex_);
  ++tally_.answered;
  changed_.notify_one();
}

void SteadyLoad::failed(const std::string& how) {
  note(tally_.failed, how);
}

void SteadyLoad::repeated(const std::string& how) {
  note(tally_.repeated, how);
}

void SteadyLoad::note(std::uint64_t& count, const std::string& how) {
  constexpr std::size_t kMostTold = 10;
  const std::lock_guard lock(mutex_);
  ++count;
  if (tally_.failures.size() < kMostTold) tally_.failures.push_back(how);
}

}  // namespace play
