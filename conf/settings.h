// Every setting as a plain value, with its default and its unit. What a key is called, what it means and its
// bounds stand in conf/keys.h, one row a setting; how a file becomes these values in conf/load.h; rules
// across settings in conf/check.h.
#pragma once
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conf/address.h"
#include "runtime/bytes.h"

namespace conf {

using namespace runtime::literals;
using std::chrono::milliseconds;

/// A number, or "auto": as many as there are CPUs that we may really use (runtime/machine.h knows).
struct Count {
  std::size_t number = 0;  ///< 0 is "auto"
  bool is_auto() const { return number == 0; }
  bool operator==(Count const&) const = default;
};

/// How many processes an app has: a number (both are that), "auto", or { min, max }: what the load needs.
struct Workers {
  std::size_t min = 1;   ///< 0 only if `max` is more: then none runs while nobody asks for the app
  std::size_t max = 1;   ///< not 0, not less than `min`
  bool is_auto = false;  ///< the supervisor knows how many, by CPUs and memory; `min` and `max` are 1 and say nothing
  static Workers fixed(std::size_t number) { return {.min = number, .max = number}; }
  static Workers automatic() { return {.is_auto = true}; }
  bool is_fixed() const { return !is_auto && min == max; }
  bool operator==(Workers const&) const = default;
};

/// A signal's number; written "TERM" or "SIGTERM".
struct Signal {
  int number = SIGTERM;
  bool operator==(Signal const&) const = default;
};

/// File mode bits a process takes away; written as octal text, "027".
struct Umask {
  std::uint32_t bits = 022;
  bool operator==(Umask const&) const = default;
};

inline constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};  // RLIM_INFINITY

/// A resource limit of a process (setrlimit(2)), in the unit of its resource.
struct Rlimit {
  std::uint64_t soft = kNoLimit, hard = kNoLimit;
  bool operator==(Rlimit const&) const = default;
};
/// By name: those of conf/rlimits.h. What is not there is inherited.
using Rlimits = std::map<std::string, Rlimit>;

/// Niceness, -20 (before all others) to 19.
struct Nice {
  int number = 0;
  bool operator==(Nice const&) const = default;
};

/// A share of the machine's CPU time; written "50%", of one CPU.
struct CpuShare {
  std::size_t percent = 100;
  bool operator==(CpuShare const&) const = default;
};

/// [listen]
struct Listen {
  std::vector<Address> http;
  std::vector<Address> https;
  std::vector<Address> proxy_protocol;  ///< those of `http` and `https` whose connections begin with its header
  bool operator==(Listen const&) const = default;
};

/// [front.clocks]: how long we wait for a client. No worker is held while one of these runs.
struct Clocks {
  milliseconds head{10'000};        ///< first byte of a request to the end of its head
  milliseconds handshake{10'000};   ///< accept to the end of the TLS handshake
  milliseconds body_idle{30'000};   ///< between two pieces of a request body
  milliseconds keep_alive{75'000};  ///< a connection without a request
  milliseconds write_idle{30'000};  ///< a client that takes no byte of its answer
  bool operator==(Clocks const&) const = default;
};

/// [front]
struct Front {
  Count threads;
  std::string user;                 ///< empty: `portherd` if that exists, else `nobody`; only as root
  std::size_t max_connections = 0;  ///< 0: from the limits of descriptors and memory
  std::size_t max_connections_per_address = 0;  ///< 0: off
  std::vector<Network> trusted_proxies;
  runtime::Bytes max_head = 32_KiB;
  std::size_t max_fields = 100;
  std::size_t max_streams = 128;
  runtime::Bytes buffer_memory = 16_MiB;
  std::string spool = "/var/tmp";     ///< folder, absolute
  runtime::Bytes spool_disk = 1_GiB;
  milliseconds drain_timeout{30'000};
  milliseconds shutdown_delay{0};
  Clocks clocks;
  bool operator==(Front const&) const = default;
};

enum class TlsVersion { k12, k13 };

/// [tls]
struct Tls {
  std::string certificates;  ///< folder of NAME.crt + NAME.key, absolute; empty: none
  TlsVersion min_version = TlsVersion::k12;
  bool operator==(Tls const&) const = default;
};

/// [control]
struct Control {
  std::string socket;  ///< absolute; load() fills it by the place of the main file, see control_socket_for()
  std::string group;   ///< empty: root and the supervisor's own user may give orders, its group may ask for `status`
  bool operator==(Control const&) const = default;
};

enum class AccessFormat { kJson, kCombined };

/// [log] access = "off", "stderr" or { path, format, skip, slow }
struct AccessLog {
  bool is_on = true;
  std::string path;  ///< absolute; empty: stderr
  AccessFormat format = AccessFormat::kJson;
  std::vector<std::string> skip;  ///< paths of which only failures are logged
  milliseconds slow{0};  ///< a request that took this long is told in the error log, too, and logged although its path is in `skip`; 0: off
  bool operator==(AccessLog const&) const = default;
};

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// [log] error = { path, level }
struct ErrorLog {
  std::string path;  ///< absolute; empty: stderr
  LogLevel level = LogLevel::kInfo;
  bool operator==(ErrorLog const&) const = default;
};

/// [log]
struct Log {
  AccessLog access;
  ErrorLog error;
  bool operator==(Log const&) const = default;
};

/// [metrics]
struct Metrics {
  std::optional<Address> listen;  ///< empty: nobody is told
  bool operator==(Metrics const&) const = default;
};

enum class PlainHttp { kRedirect, kServe, kRefuse };

/// health = { path = "/healthz", interval = "10s" }
struct Health {
  std::string path;           ///< empty: no probe by path
  milliseconds interval{0};   ///< between two probes of a worker that is ready; 0: off
  milliseconds timeout{5'000};  ///< of one such probe
  std::size_t failures = 3;   ///< so many in a row, and the worker is replaced
  bool operator==(Health const&) const = default;
};

enum class AppKind { kWsgi, kAsgi, kCommand, kProxy, kNone };

/// What becomes of a request at the worker when its client has reset the connection.
enum class OnAbandon { kClose, kFinish };

/// How one request is treated: the settings that an app has, and that a route of it may have otherwise.
struct Rules {
  runtime::Bytes buffer_body = 64_KiB;
  runtime::Bytes max_body = 64_MiB;
  bool stream_body = false;
  bool stream_answer = false;
  runtime::Bytes spool_answer = 1_MiB;
  OnAbandon on_abandon = OnAbandon::kClose;
  milliseconds queue_timeout{10'000};
  milliseconds request_timeout{60'000};
  milliseconds stream_timeout{600'000};
  milliseconds total_timeout{0};  ///< 0: off
  bool operator==(Rules const&) const = default;
};

/// The rules that stand on a route; the others are its app's.
struct OwnRules {
  std::optional<runtime::Bytes> buffer_body, max_body;
  std::optional<bool> stream_body, stream_answer;
  std::optional<runtime::Bytes> spool_answer;
  std::optional<OnAbandon> on_abandon;
  std::optional<milliseconds> queue_timeout, request_timeout, stream_timeout, total_timeout;
  bool operator==(OwnRules const&) const = default;
};

/// One [[routes]] of an app: who answers to paths that begin with `path`: the front itself (`files`, `redirect`), another
/// app, or this one by rules of its own.
struct Route {
  std::string path = "/";     ///< percent-encoded or not, see proxy/route.h
  std::string files;          ///< a folder, absolute; empty: no files
  std::string redirect;       ///< a URL or a path of the same host; empty: no redirect
  std::size_t status = 307;   ///< of the redirect: 301, 302, 307 or 308
  bool keep_path = true;      ///< what follows `path` is put behind `redirect`, the query too
  std::string app;            ///< another app's name; empty: this one
  OwnRules own;
  Rules rules;                ///< `own`, over those of the app that answers; settle() fills it
  std::optional<std::size_t> to;  ///< the place of `app` in Settings::apps; settle() fills it; empty: this app, or there is none such
  bool operator==(Route const&) const = default;
};

/// One [[services]] of an app: a process without HTTP that is kept running beside its workers. Where it says nothing, it is
/// as its app has it; service_app() puts the two together.
struct Service {
  std::string name;                  ///< as an app's, and once in its app
  std::vector<std::string> command;  ///< program and arguments
  std::string directory;             ///< absolute
  std::string user;
  std::string group;  ///< empty: the app's, or that of its own `user`
  std::optional<Umask> umask;
  std::map<std::string, std::string> env;  ///< over the app's
  std::string env_file;                    ///< absolute; in the place of the app's
  Rlimits rlimits;                         ///< over the app's, by name
  std::optional<Nice> nice;
  std::optional<bool> no_new_privs;
  std::optional<Signal> stop_signal;
  std::optional<milliseconds> graceful_timeout;
  std::uint64_t env_file_digest = 0;  ///< as in App
  bool operator==(Service const&) const = default;
};

/// One file in apps.d/, or one [apps.NAME]. Paths in it are absolute once loaded from a file.
struct App {
  std::string name;  ///< letters, digits, '-', '_'; at most 32; from the file's or the table's name

  std::vector<std::string> hosts;            ///< lower case; none or "*": every host no other app has
  std::string directory;                     ///< absolute
  PlainHttp plain_http = PlainHttp::kServe;  ///< load() makes it kRedirect where there is an https listener

  std::string wsgi;                  ///< "module:attr"
  std::string asgi;                  ///< "module:attr"
  std::vector<std::string> command;  ///< program and arguments
  std::vector<Address> proxy;        ///< kUnix: workers that somebody else supervises

  std::string python = "python3";  ///< a name for PATH, or an absolute path
  bool reload = false;             ///< a release whenever its source files change
  bool preload = false;            ///< workers are forked from one process that has imported the app
  std::string post_fork;           ///< with `preload`: "module:function" that each worker calls; empty: none
  std::string user;                ///< empty: the supervisor's
  std::string group;               ///< empty: the user's
  std::optional<Umask> umask;      ///< empty: inherited
  std::map<std::string, std::string> env;
  std::string env_file;  ///< absolute; empty: none
  Rlimits rlimits;
  std::optional<Nice> nice;   ///< empty: inherited
  bool no_new_privs = true;   ///< no program that it starts has more rights than it (prctl(2))
  /// Of all its processes together, by a cgroup; empty: no limit.
  std::optional<runtime::Bytes> memory_max;
  std::optional<CpuShare> cpu_max;
  std::optional<std::size_t> pids_max;
  bool strict = false;        ///< what this machine does not give is a reason not to start it
  Signal stop_signal;
  std::optional<Signal> stack_signal;  ///< makes the program print its stacks; empty: none does

  Workers workers;
  std::size_t threads = 4;      ///< of one Python worker
  std::size_t concurrency = 0;  ///< slots of one worker; 0: by kind; load() always fills it, see settle()
  std::size_t max_surge = 1;    ///< processes beyond `workers` while workers are replaced

  std::size_t max_requests = 0;         ///< of one worker; 0: off
  std::size_t max_requests_jitter = 0;  ///< a random number up to it is added to `max_requests`, once for each worker
  runtime::Bytes max_memory = 0;        ///< of one worker, proportional set size; 0: off
  milliseconds max_age{0};              ///< of one worker since it was ready; 0: off

  std::size_t queue_size = 1000;
  milliseconds target_wait{100};
  Health health;

  milliseconds boot_timeout{60'000};
  milliseconds graceful_timeout{30'000};
  milliseconds idle_timeout{300'000};

  Rules rules;  ///< of all that no route has rules of its own for

  std::vector<Route> routes;  ///< of those that fit a path the longest wins
  std::vector<Service> services;

  /// Of what stands in `env_file`: another one when that has changed. No row, so it is not printed; load() fills it. 0: there
  /// is no such file.
  std::uint64_t env_file_digest = 0;

  /// What it runs. Only for an app that check() let pass: exactly one of the four is set, or none and it has routes or
  /// services.
  AppKind kind() const;
  /// The supervisor starts workers for it.
  bool has_processes() const { return is_python() || !command.empty(); }
  /// All its processes together have limits.
  bool is_confined() const { return memory_max || cpu_max || pids_max; }
  /// Its workers are our own, in the app's interpreter.
  bool is_python() const { return !wsgi.empty() || !asgi.empty(); }
  /// Somebody or something answers for it. Not so where it is services alone: such an app has no hosts.
  bool takes_requests() const { return kind() != AppKind::kNone || !routes.empty(); }
  bool operator==(App const&) const = default;
};

struct Settings {
  Listen listen;
  Front front;
  Tls tls;
  Control control;
  Log log;
  Metrics metrics;
  std::vector<App> apps;  ///< by name
  bool operator==(Settings const&) const = default;
};

inline AppKind App::kind() const {
  if (!wsgi.empty()) return AppKind::kWsgi;
  if (!asgi.empty()) return AppKind::kAsgi;
  if (!command.empty()) return AppKind::kCommand;
  return proxy.empty() ? AppKind::kNone : AppKind::kProxy;
}

/// Fills what depends on other settings: `concurrency` of an app (threads for wsgi, 100 for asgi, 16 for command, 1024 for
/// proxy), the rules of each route, and the app that it leads to. Idempotent. load() has done it; call it on Settings that
/// were made in code (`portherd run`).
void settle(Settings& settings);

/// What its process is called: "shop.queue".
std::string service_name(App const& app, Service const& service);
/// A service as an app of its own that is one command, by that name: what is wanted to start its process. No requests,
/// no routes, no services.
App service_app(App const& app, Service const& service);

}  // namespace conf
