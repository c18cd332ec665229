// One client of a steady load (steady_load.h), each in a thread of its own: no assertion is made here, what
// goes wrong is a failure of the load. The connection, and what is said over it in HTTP/1.1; HTTP/2 is
// steady_h2.cpp.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "steady_load.h"

struct ssl_st;

namespace play {

/// The client's end of a connection; the other side's end is a result like any other.
class Line {
 public:
  enum class Got { kBytes, kNothing, kEnd, kReset };

  Line();
  ~Line();
  /// False: `why` says what is wrong. `alpn` empty: without TLS.
  bool open(std::uint16_t port, const std::string& host, const std::string& alpn, std::string& why);
  bool is_open() const { return static_cast<bool>(fd_); }
  void close();
  /// What the other side does not take is lost: reading tells of it.
  void send(std::string_view bytes);
  /// Appends what comes first within `patience`.
  Got read(std::string& into, milliseconds patience);

 private:
  struct FreeTls {
    void operator()(ssl_st* tls) const;
  };
  bool shake_hands(const std::string& host, const std::string& alpn);
  int try_read(char* into, int most);
  bool wait(short what, milliseconds patience);

  runtime::Fd fd_;
  std::unique_ptr<ssl_st, FreeTls> tls_;
};

/// " was reset" or " ended".
std::string_view name(Line::Got end);

/// Between an answer and the next request: load enough, and the machine has others to serve.
inline constexpr milliseconds kPause{2};

void ask_http1(SteadyLoad& load, std::uint16_t port, bool over_tls);
void ask_http2(SteadyLoad& load, std::uint16_t port, std::size_t streams);

}  // namespace play
