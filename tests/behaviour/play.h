// The actors of the behaviour tests: Supervisor (the real binary), Client, App (the test itself, standing for
// a worker that somebody else supervises), and programs run to their end. Scripted worker processes are in
// tests/apps/. Nobody sleeps: every wait is for an event and fails after kPatience. What the actors promise
// is tested nowhere but here.
#pragma once
#include <doctest/doctest.h>
#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/fd.h"

namespace play {

using std::chrono::milliseconds;

/// When a test stops believing that an event will come. Far beyond what a slow machine under sanitizers
/// needs.
inline constexpr milliseconds kPatience{60'000};

/// Whether a sanitizer watches the program: its memory is no measure then, and each request costs more.
bool is_sanitized();  ///< $PORTHERD_IS_SANITIZED

/// A count of requests or bytes, made smaller where each costs more: a sanitizer, or PORTHERD_TEST_SCALE=0.1.
std::uint64_t scaled(std::uint64_t count);

/// An interpreter that does not change with whose PATH it is: /usr/bin/python3 where there is one.
const std::string& python();
std::string source(std::string_view path);      ///< a file of this project
std::string path_of_portherd();                 ///< $PORTHERD_BINARY, else the one of this build
bool is_installed(const std::string& program);  ///< if not, says that the test is skipped

/// A port of this test process, free now, and so is the next one. Never given out twice.
std::uint16_t free_port();

/// A folder for one test, gone with it. Others may enter: the front is not root when the test is.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  std::string write(std::string_view name, std::string_view text) const;
  std::string read(std::string_view name) const;
  void copy(std::string_view folder_of_project) const;
  /// NAME.crt and NAME.key in the subfolder `tls`, for that host name, signed by itself.
  void certificate(const std::string& host) const;

 private:
  std::string path_;
};

/// What a program left behind.
struct Ended {
  int status = 0;  ///< its exit status, or -signal
  std::string out, err;
};
using Arguments = std::vector<std::string>;
using Environment = std::map<std::string, std::string>;

/// Runs a program to its end. `more` is added to the environment. Fails if it does not end, or leaves a
/// process behind.
Ended run(const Arguments&, const std::string& directory = "/", const Environment& more = {});
/// The same for portherd itself.
Ended portherd(Arguments, const std::string& directory = "/", const Environment& more = {});

/// One answer of HTTP/1.1, read by its own framing.
struct Answer {
  int status = 0;
  std::string head;       ///< with the empty line
  std::string body;       ///< without chunk framing
  bool is_whole = false;  ///< false: the connection ended first

  /// The value of a field, whatever its case; several are joined by ", ". Empty if there is none.
  std::string field(std::string_view name) const;
};
std::string field_of(std::string_view head, std::string_view name);

/// One end of a connection: literal bytes out, and in.
class Peer {
 public:
  explicit Peer(runtime::Fd);
  Peer(Peer&&) noexcept;
  Peer& operator=(Peer&&) noexcept;
  ~Peer();

  void send(std::string_view bytes);
  /// How many of these bytes the other side takes before it has taken none for `pause`.
  std::size_t send_until_blocked(std::size_t most, milliseconds pause = milliseconds(1000));
  void wait_for_bytes();                  ///< until some lie in the socket; reads none
  std::string read_head();                ///< up to and with the empty line
  std::string read(std::size_t count);    ///< exactly so many
  std::string read_some();                ///< what there is, at least a byte; empty: the end
  std::size_t discard(std::size_t most);  ///< reads and forgets; fewer only at the end of input
  std::string read_to_end();              ///< until the other side closes, or resets
  bool is_closed_by_peer() { return read_to_end().empty(); }  ///< waits for the end: nothing more came
  bool ends_well();  ///< the same, and it was no reset; over TLS it said goodbye
  /// To a request of `method`. Interim answers come one by one, as answers without a body.
  Answer read_answer(std::string_view method = "GET");
  std::string read_body(std::string_view head);  ///< of a request, by its framing
  void shut_writing();
  void close();
  void reset();  ///< RST instead of a goodbye

  /// What follows is said over TLS.
  void begin_tls(const std::string& host = "localhost", const std::string& alpn = "http/1.1");
  // Over TLS only.
  std::string protocol() const;            ///< that ALPN chose
  std::string certificate_name() const;    ///< common name of the other side's certificate
  std::string certificate_digest() const;  ///< SHA-256 of it

 private:
  struct State;
  std::size_t some(char* into, std::size_t most);  // 0: the end
  bool fill();
  std::unique_ptr<State> state_;
};

Peer connect(std::uint16_t port);  ///< 127.0.0.1
Peer connect_unix(const std::string& path);
/// `alpn` "h2,http/1.1" in order of liking; empty: none. The certificate is not verified, only kept.
Peer connect_tls(std::uint16_t port, const std::string& host = "localhost",
                 const std::string& alpn = "http/1.1");
bool is_refused(std::uint16_t port);
/// One request on a connection of its own.
Answer get(std::uint16_t port, std::string_view path = "/", std::string_view host = "localhost");

/// A `proxy` worker played by the test: it reads what the front sends and answers with literal bytes, when it
/// wants.
class App {
 public:
  App(const Folder& folder, const std::string& name);
  Peer accept();
  bool has_visitor();  ///< somebody has connected who was not accepted yet
  /// The next connection to any of these, and which one it came to.
  static std::pair<std::size_t, Peer> accept_any(const std::vector<App*>&);

 private:
  runtime::Fd listener_;
};

/// What `portherd status --json` says.
struct Status {
  struct Worker {
    int slot = 0;
    pid_t pid = 0;
    std::string state;
    int generation = 0, busy = 0;
    std::uint64_t served = 0, memory = 0;
    std::string last_exit;
  };
  struct App {
    std::string name, state;
    int queue = 0, slots = 0, busy = 0;
    std::uint64_t served = 0, failed = 0;
    std::vector<Worker> workers;
    std::vector<pid_t> ready() const;  ///< pids of workers in state `ready`
  };
  int exit_status = 0;
  std::string text;  ///< as it came
  std::string version;
  pid_t supervisor = 0, front = 0;
  std::vector<App> apps;
  const App& app(std::string_view name) const;
  bool all_ready() const;  ///< every worker is
};

/// One app, at app.sock, for clients in plain and over TLS; for Supervisor::serve().
inline constexpr const char* kPlainAndTls = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[apps.app]
proxy = ["unix:app.sock"]
plain_http = "serve"
)";

/// `portherd serve` or `portherd run` with all that it starts. Its end is the end of them all: the destructor
/// asks it to leave and checks that it did so with exit status 0 and left nobody behind.
class Supervisor {
 public:
  /// `config` becomes portherd.toml in the folder. In it (and in arguments) $PORT and $TLS are free ports,
  /// $PYTHON an interpreter, $APPS the scripted workers, $FOLDER the folder. True afterwards: the front runs. If a
  /// file `portherd` lies in the folder, that is the program.
  static Supervisor serve(const Folder&, std::string_view config, const Environment& more = {});
  /// In the folder: `portherd run ...`.
  static Supervisor run(const Folder&, const Arguments&, const Environment& more = {});
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  std::uint16_t port() const { return port_; }
  std::uint16_t tls_port() const { return static_cast<std::uint16_t>(port_ + 1); }
  pid_t pid() const { return pid_; }
  std::string config_file() const;

  Status status();
  /// Asks again and again, until it is so.
  Status wait_until(const char* what, const std::function<bool(const Status&)>& it_is_so);
  Status wait_ready();  ///< every worker of every app

  /// The first line of what it said (both streams) that has `text` in it, said already or to be said.
  std::string expect_line(std::string_view text);
  std::vector<std::string> lines_with(std::string_view text) const;
  std::string said() const;

  void signal(int number);
  int wait_exit();  ///< its exit status, or -signal; checks that it left nobody behind
  int stop();       ///< TERM, then wait_exit()
  /// The test is about to kill it: those it leaves behind are given time to end by themselves.
  void leave_to_die() { may_leave_ = true; }

 private:
  struct Lines;
  Supervisor(const Folder&, const Arguments&, const Environment&, std::uint16_t port);
  bool has_ended();
  void require_running();

  std::string directory_;
  std::uint16_t port_;
  bool is_run_;
  pid_t pid_ = -1;  // -1: has been waited for
  int exit_status_ = 0;
  bool may_leave_ = false;        // whoever is left when it has ended is not a failure
  std::unique_ptr<Lines> lines_;  // what it says, gathered by a thread of its own
};

bool is_alive(pid_t);
void wait_gone(pid_t);           ///< until no process has this pid (a zombie is gone)
std::uint64_t memory_of(pid_t);  ///< resident bytes that are its own
std::uint64_t peak_of(pid_t);    ///< the most resident bytes it ever had

}  // namespace play
