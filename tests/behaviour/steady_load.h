// A steady load in the background of a test: clients that ask one question again and again until they are
// told to stop, and check every answer. What counts as a failure is decided here, and nowhere else.
//
// No failure is what a server may do at any time: "Connection: close" with an answer, the end of a connection
// on which nothing is under way, GOAWAY (RFC 9112 9.6, RFC 9113 6.8). The client opens another connection. A
// repeat is a request that the client may send again without knowing anything about it: its reused connection
// ended before the first byte of an answer (RFC 9112 9.3.1), or its stream was refused (RFC 9113 8.7). These
// are counted apart; a promise that no connection is cut means none of them too. Everything else is a
// failure: a connection that is refused or reset, a handshake that fails, a cut answer, another status than
// 200, another body, a byte that nobody asked for, silence for kPatience.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "play.h"

namespace play {

/// What is asked, and what may be the answer's body.
struct Question {
  std::string path = "/", host = "localhost";
  std::function<bool(std::string_view body)> is_answer = [](std::string_view body) { return !body.empty(); };
};

/// How many clients there are. Each of HTTP/1.1 has a request under way, each of HTTP/2 `streams` of them.
struct Crowd {
  std::size_t plain = 2;  ///< HTTP/1.1
  std::size_t tls = 2;    ///< HTTP/1.1 over TLS
  std::size_t h2 = 2;     ///< HTTP/2 over TLS
  std::size_t streams = 4;
  std::size_t requests() const { return plain + tls + h2 * streams; }  ///< under way at the most
};
/// For a front that has no certificate.
inline constexpr Crowd kPlainCrowd{.plain = 4, .tls = 0, .h2 = 0};

struct Tally {
  std::uint64_t answered = 0;  ///< rightly
  std::uint64_t failed = 0, repeated = 0;
  std::uint64_t opened = 0;           ///< connections
  std::vector<std::string> failures;  ///< the first of both, in words
  std::string text() const;
};

class SteadyLoad {
 public:
  SteadyLoad(const Supervisor&, Question, Crowd = {});
  ~SteadyLoad();
  SteadyLoad(const SteadyLoad&) = delete;
  SteadyLoad& operator=(const SteadyLoad&) = delete;

  /// Waits until so many more have been answered than now.
  void wait_for(std::uint64_t more);
  Tally so_far();
  /// What is under way is finished. Once.
  Tally stop();
  /// The same, and fails unless there was an answer, no failure and no repeat.
  void stop_unhurt();

  // From its clients.
  bool is_enough() const { return is_enough_; }
  const Question& question() const { return question_; }
  void opened();
  void answered(int status, std::string_view body);
  void failed(const std::string& how);
  void repeated(const std::string& how);

 private:
  void note(std::uint64_t& count, const std::string& how);

  const Question question_;
  std::atomic<bool> is_enough_ = false;
  std::mutex mutex_;  // of tally_
  std::condition_variable changed_;  // one more is answered
  Tally tally_;
  std::vector<std::thread> clients_;
};

}  // namespace play
