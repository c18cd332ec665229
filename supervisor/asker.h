// Who gave an order over the control socket, as the one who obeys it keeps him: progress can be said to him, and
// the result once there is one, in this turn of the loop or an hour later. He may have left meanwhile; then
// nobody hears it, and what he asked for goes on. The connection behind it: control.cpp.
#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "runtime/result.h"

namespace supervisor {

/// The other end of an Asker. Lines are JSON without their end. Never calls back.
class Conversation {
 public:
  virtual ~Conversation() = default;
  /// Who has left too much unread is cut.
  virtual void say(std::string line) = 0;
  /// Dropped, and counted for the caller, if he has much unread.
  virtual void offer(std::string line) = 0;
  /// `line` was the last. `stays_open`: the connection ends only with us.
  virtual void end(std::string line, bool stays_open) = 0;
  /// Its descriptor; -1: it has none.
  virtual int connection() const { return -1; }
};

class Asker {
 public:
  /// Nobody.
  Asker() = default;
  /// `conversation` is its connection's; each of the copies of an Asker only looks whether it still lives.
  explicit Asker(std::weak_ptr<Conversation> conversation) : conversation_(std::move(conversation)) {}

  /// False: nobody would hear it.
  bool is_there() const { return !conversation_.expired(); }
  /// The descriptor of its connection; -1: he has left.
  int connection() const;
  /// Progress, for people: {"say": sentence}.
  void say(std::string_view sentence) const;
  /// Any other line before the result: an object without "ok".
  void tell(const nlohmann::ordered_json& line) const;
  /// Of a stream that may come faster than it is read; a lost one is counted, and the caller is told how many:
  /// {"dropped": n}.
  void offer(const nlohmann::ordered_json& line) const;

  // One of these, once, as the last.
  /// {"ok": true} and `facts`, an object.
  void done(const nlohmann::ordered_json& facts) const;
  void done() const;
  /// Done, and the connection ends only with us: how a caller waits for our end.
  void done_and_wait_for_our_end() const;
  /// {"ok": false, "code": ..., "sentence": ...}; the code decides the exit status of the command.
  void refuse(const runtime::Error& why) const;

 private:
  void end(const nlohmann::ordered_json& line, bool stays_open) const;
  std::weak_ptr<Conversation> conversation_;
};

/// The line that Asker::refuse() says. Pure.
std::string refusal(const runtime::Error& why);

/// How a code is written in a refusal: "config", "permission" ...
std::string_view word(runtime::Code code);
/// kProtocol for a word that is none of ours. Pure.
runtime::Code code_of(std::string_view word);

}  // namespace supervisor
