// The table of all settings: one row each, with its key, its bounds, its meaning in one line, and what stands
// for "unset". Loading, `check --print`, the nearest known key, docs/configuration.md and
// examples/every-setting all walk these rows; there is no second list. Defaults and units are in
// conf/settings.h; how a type is read and written, in conf/values.h.
#pragma once
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "conf/cost.h"
#include "conf/limits.h"
#include "conf/settings.h"

namespace conf {

/// What a value means beyond its type.
enum class Form {
  kPlain,
  kName,     ///< a user or a group
  kPath,     ///< made absolute: an app's against its `directory`, others against the folder of their file
  kProgram,  ///< a name for PATH, or a path as above; of a list, its first item
  kHost,     ///< a host name as in a URL, or "*"
  kUrlPath,  ///< begins with "/"
  kLocation,  ///< a URL, or a path as above
  kSize,     ///< bytes, written with a unit
  kListenAddress,  ///< any Address
  kSocketPath,     ///< an Address that is a path
};

inline constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::int32_t>::max();
inline constexpr std::uint64_t kMostItems = 1000;  // of a list
inline constexpr std::uint64_t kMostRoutes = 100;  // of an app: each request looks at all of them
inline constexpr std::uint64_t kMostServices = 100;  // of an app
inline constexpr std::uint64_t kMinute = 60'000;   // of milliseconds, the unit of a duration's bounds
inline constexpr std::uint64_t kDay = 24 * 60 * kMinute;

struct Row {
  std::string_view key;
  std::string_view meaning;
  Form form = Form::kPlain;
  std::uint64_t least = 0;  ///< in the value's own unit: a number, bytes, milliseconds, items of a list
  std::uint64_t most = kAnyNumber;
  std::string_view unset = {};    ///< what holds when the key is absent and the default is empty or 0
  std::string_view example = {};  ///< TOML for the documentation, where the default is not worth showing
  std::optional<Cost> cost = {};  ///< of a change; empty: as that of the table that it is in, at the top nothing
};

template <class V>
void visit(V& v, Listen& listen) {
  v(Row{.key = "http",
        .meaning = "Addresses for plain HTTP/1.1 and HTTP/2 without TLS. `*` is IPv6 and IPv4.",
        .form = Form::kListenAddress,
        .most = kMostItems,
        .unset = "none",
        .example = R"(["*:80"])"},
    listen.http);
  v(Row{.key = "https",
        .meaning = "Addresses for TLS, with HTTP/2 and HTTP/1.1 by ALPN. Needs `certificates` in `[tls]`.",
        .form = Form::kListenAddress,
        .most = kMostItems,
        .unset = "none",
        .example = R"(["*:443"])"},
    listen.https);
  v(Row{.key = "proxy_protocol",
        .meaning = "Those of the addresses above at which a load balancer says who the client is: each "
                   "connection begins with a PROXY protocol header (version 1 or 2), and only those from "
                   "`trusted_proxies` are taken.",
        .form = Form::kListenAddress,
        .most = kMostItems,
        .unset = "none",
        .example = R"(["*:443"])",
        .cost = Cost::kNone},
    listen.proxy_protocol);
}

template <class V>
void visit(V& v, Clocks& clocks) {
  v(Row{.key = "head",
        .meaning = "From a request's first byte to the end of its head; then 408.",
        .least = 1,
        .most = kDay},
    clocks.head);
  v(Row{.key = "handshake",
        .meaning = "From accept to the end of the TLS handshake.",
        .least = 1,
        .most = kDay},
    clocks.handshake);
  v(Row{.key = "body_idle", .meaning = "Between two pieces of a request body.", .least = 1, .most = kDay},
    clocks.body_idle);
  v(Row{.key = "keep_alive",
        .meaning = "A connection without a request is closed.",
        .least = 1,
        .most = kDay},
    clocks.keep_alive);
  v(Row{.key = "write_idle", .meaning = "A client takes no byte of its answer.", .least = 1, .most = kDay},
    clocks.write_idle);
}

template <class V>
void visit(V& v, Front& front) {
  v(Row{.key = "threads",
        .meaning = R"(Event loops of the front. `"auto"`: the CPUs that we may really use.)",
        .least = 1,
        .most = kMostThreads,
        .cost = Cost::kRestart},
    front.threads);
  v(Row{.key = "user",
        .meaning = "Who the front runs as, when started as root.",
        .form = Form::kName,
        .unset = "`portherd` if that user exists, else `nobody`",
        .example = R"("www-data")",
        .cost = Cost::kRestart},
    front.user);
  v(Row{.key = "max_connections",
        .meaning = "Connections of clients at the same time, in equal shares for the threads. Past it the one that has "
                   "been idle for longest makes room for the new one; if all have a request, new ones wait.",
        .least = 16,
        .unset = "half the descriptor limit; at most a quarter of the memory, at 32 KiB each",
        .example = "10000"},
    front.max_connections);
  v(Row{.key = "max_connections_per_address",
        .meaning = "Connections from one address at the same time.",
        .least = 1,
        .unset = "no limit",
        .example = "200"},
    front.max_connections_per_address);
  v(Row{.key = "trusted_proxies",
        .meaning =
            "Peers whose forwarded headers are believed: addresses or blocks, or \"unix:\" for whoever connects to a Unix socket. "
            "From others they are dropped. Also who may connect to an address of `proxy_protocol`.",
        .most = kMostItems,
        .unset = "none",
        .example = R"(["10.0.0.0/8", "::1"])"},
    front.trusted_proxies);
  v(Row{.key = "max_head",
        .meaning = "Bytes of a request's head; beyond it 431.",
        .form = Form::kSize,
        .least = 1_KiB,
        .most = 1_MiB},
    front.max_head);
  v(Row{.key = "max_fields",
        .meaning = "Fields of a request's head; beyond it 431.",
        .least = 10,
        .most = 10'000},
    front.max_fields);
  v(Row{.key = "max_streams",
        .meaning = "Requests at the same time on one HTTP/2 connection.",
        .least = 1,
        .most = 10'000},
    front.max_streams);
  v(Row{.key = "buffer_memory",
        .meaning = "Memory for bodies that wait for a worker or a client, all together; past it they go into files.",
        .form = Form::kSize,
        .least = 1_MiB,
        .most = 1024_GiB},
    front.buffer_memory);
  v(Row{.key = "spool",
        .meaning = "Folder for temporary files, without names, of bodies and answers that do not fit into memory. The front's user "
                   "must be able to write there.",
        .form = Form::kPath,
        .cost = Cost::kFront},
    front.spool);
  v(Row{.key = "spool_disk",
        .meaning = "Bytes in such files, all together.",
        .form = Form::kSize,
        .most = 1024_GiB},
    front.spool_disk);
  v(Row{.key = "drain_timeout",
        .meaning = "How long connections may finish when the front stops; then they are cut, WebSockets "
                   "closed.",
        .most = kDay},
    front.drain_timeout);
  v(Row{.key = "shutdown_delay",
        .meaning = "Keep accepting for so long after the order to stop, while not ready; for load balancers.",
        .most = kDay},
    front.shutdown_delay);
  v(Row{.key = "clocks", .meaning = "How long the front waits for a client. No worker is held meanwhile."},
    front.clocks);
}

template <class V>
void visit(V& v, Tls& tls) {
  v(Row{.key = "certificates",
        .meaning = "Folder of `NAME.crt` (with its chain) and `NAME.key` pairs; chosen by SNI.",
        .form = Form::kPath,
        .unset = "none",
        .example = R"("/etc/portherd/tls")"},
    tls.certificates);
  v(Row{.key = "min_version", .meaning = "Oldest TLS version spoken."}, tls.min_version);
}

template <class V>
void visit(V& v, Control& control) {
  v(Row{.key = "socket",
        .meaning = "Unix socket on which the supervisor answers `status`, `stop` and other orders.",
        .form = Form::kPath,
        .unset = "`/run/portherd/control.sock` for a file in `/etc/portherd`, else `portherd.sock` beside "
                 "the file",
        .example = R"("/run/portherd/control.sock")"},
    control.socket);
  v(Row{.key = "group",
        .meaning = "Members of this group may give orders too.",
        .form = Form::kName,
        .unset = "only root and the supervisor's own user may, and its group asks for `status`",
        .example = R"("adm")"},
    control.group);
}

template <class V>
void visit(V& v, AccessLog& access) {
  v(Row{.key = "path",
        .meaning = "File to append to.",
        .form = Form::kPath,
        .unset = "stderr",
        .example = R"("/var/log/portherd/access.log")"},
    access.path);
  v(Row{.key = "format", .meaning = "One JSON object a line, or Apache's combined format.", .cost = Cost::kNone}, access.format);
  v(Row{.key = "skip",
        .meaning = "Paths that are logged only when the request fails.",
        .form = Form::kUrlPath,
        .most = kMostItems,
        .unset = "none",
        .example = R"(["/healthz"])",
        .cost = Cost::kNone},
    access.skip);
  v(Row{.key = "slow",
        .meaning = "A request that took this long is told in the error log, too, and logged although its path is in `skip`; `\"0s\"` is off.",
        .most = kDay,
        .cost = Cost::kNone},
    access.slow);
}

template <class V>
void visit(V& v, ErrorLog& error) {
  v(Row{.key = "path",
        .meaning = "File to append to.",
        .form = Form::kPath,
        .unset = "stderr",
        .example = R"("/var/log/portherd/error.log")"},
    error.path);
  v(Row{.key = "level", .meaning = "The least important lines that are written; what apps print always is.", .cost = Cost::kNone},
    error.level);
}

template <class V>
void visit(V& v, Log& log) {
  v(Row{.key = "access", .meaning = R"(One event a request. Also `access = "off"` or `access = "stderr"`.)"},
    log.access);
  v(Row{.key = "error", .meaning = "What Portherd itself has to say, as key=value lines."}, log.error);
}

template <class V>
void visit(V& v, Metrics& metrics) {
  v(Row{.key = "listen",
        .meaning = "Address of `/metrics` (Prometheus), `/-/healthy` and `/-/ready`, in plain HTTP and open to whoever "
                   "reaches it; keep it to loopback or a network of your own.",
        .form = Form::kListenAddress,
        .unset = "none",
        .example = R"("127.0.0.1:9180")"},
    metrics.listen);
}

template <class V>
void visit(V& v, Health& health) {
  v(Row{.key = "path",
        .meaning = "A worker is ready when this path answers 2xx or 3xx.",
        .form = Form::kUrlPath,
        .unset = "no probe by path",
        .example = R"("/healthz")"},
    health.path);
  v(Row{.key = "interval",
        .meaning = "A ready worker is asked for `path` so often; `\"0s\"` is never.",
        .most = kDay},
    health.interval);
  v(Row{.key = "timeout", .meaning = "Of one such question; no answer in time is a failure.", .least = 1, .most = kDay},
    health.timeout);
  v(Row{.key = "failures",
        .meaning = "So many failures in a row, and the worker is replaced.",
        .least = 1,
        .most = 1000},
    health.failures);
}

/// `R` is Rules, or the OwnRules of a route: the same rows.
template <class V, class R>
void visit_rules(V& v, R& rules) {
  v(Row{.key = "buffer_body",
        .meaning = "A request body is read before a worker is held: so much of it in memory, the rest in a file.",
        .form = Form::kSize,
        .most = 1_GiB,
        .example = R"("1MiB")"},
    rules.buffer_body);
  v(Row{.key = "max_body",
        .meaning = "Larger request bodies are answered 413.",
        .form = Form::kSize,
        .most = 1024_GiB,
        .example = R"("2GiB")"},
    rules.max_body);
  v(Row{.key = "stream_body",
        .meaning = "Give a request body to the worker as it comes, without reading it first.",
        .example = "true"},
    rules.stream_body);
  v(Row{.key = "stream_answer",
        .meaning = "Give the answer to the client as it comes and no faster than it takes it, without a file in between.",
        .example = "true"},
    rules.stream_answer);
  v(Row{.key = "spool_answer",
        .meaning = "So much of an answer is taken from the worker into a file ahead of a slow client; past it the worker waits.",
        .form = Form::kSize,
        .most = 1024_GiB,
        .example = R"("64MiB")"},
    rules.spool_answer);
  v(Row{.key = "on_abandon",
        .meaning = "When the client has reset a request that runs: close the worker's connection and wait until it lets go, or "
                   "let it finish.",
        .example = R"("finish")"},
    rules.on_abandon);
  v(Row{.key = "queue_timeout",
        .meaning = "In line for a worker; then 503 with `Retry-After`.",
        .most = kDay,
        .example = R"("2s")"},
    rules.queue_timeout);
  v(Row{.key = "request_timeout",
        .meaning =
            "From dispatch to the answer's first byte (then 504), and between two pieces of the answer.",
        .least = 1,
        .most = kDay,
        .example = R"("5m")"},
    rules.request_timeout);
  v(Row{.key = "stream_timeout",
        .meaning = "Silence of what lives long, in the place of `request_timeout` and `body_idle`: a WebSocket, an "
                   "event stream (`text/event-stream`) that has begun, a gRPC call.",
        .least = 1,
        .most = kDay,
        .example = R"("1h")"},
    rules.stream_timeout);
  v(Row{.key = "total_timeout",
        .meaning = "From dispatch to the end of the answer, or of a WebSocket; `\"0s\"` is off.",
        .most = 7 * kDay,
        .example = R"("10m")"},
    rules.total_timeout);
}

/// On an app a rule always has a value, and needs no example.
template <class V>
void visit(V& v, Rules& rules) {
  auto as_app = [&v](Row row, auto& value) {
    row.example = {};
    v(row, value);
  };
  visit_rules(as_app, rules);
}

/// What a route does not say, its app does.
template <class V>
void visit(V& v, OwnRules& rules) {
  auto as_route = [&v](Row row, auto& value) {
    row.unset = "as the app has it";
    v(row, value);
  };
  visit_rules(as_route, rules);
}

template <class V>
void visit(V& v, Route& route) {
  v(Row{.key = "path",
        .meaning = "The paths that begin so are this route's; `\"/a\"` is `/a` and all below it, `\"/a/\"` only what is "
                   "below. Of two that fit, the longer one.",
        .form = Form::kUrlPath},
    route.path);
  v(Row{.key = "files",
        .meaning = "Folder whose files are the answers: `index.html` for a folder, `.br` and `.gz` siblings for those "
                   "who take them. The front's user must be able to read it. Names that begin with a dot are hidden, and "
                   "no link leads out.",
        .form = Form::kPath,
        .unset = "no files",
        .example = R"("static/")"},
    route.files);
  v(Row{.key = "redirect",
        .meaning = "Where the answer sends the client: a URL, or a path of the same host.",
        .form = Form::kLocation,
        .unset = "no redirect",
        .example = R"("https://www.example.com/")"},
    route.redirect);
  v(Row{.key = "status",
        .meaning = "Of the redirect: 307 and 308 keep the method, 301 and 308 are for ever.",
        .least = 301,
        .most = 308},
    route.status);
  v(Row{.key = "keep_path",
        .meaning = "Put what follows `path`, and the query, behind `redirect`."},
    route.keep_path);
  v(Row{.key = "app",
        .meaning = "Another app that answers, in the place of this one; it gets the whole path, and its rules hold but for those "
                   "that stand here.",
        .form = Form::kPlain,
        .unset = "this app",
        .example = R"("api")"},
    route.app);
  visit(v, route.own);
}

template <class V>
void visit_what(V& v, App& app) {
  v(Row{.key = "wsgi",
        .meaning = "A Python app, `\"module:attr\"`; `attr` may be dotted, or a call without arguments.",
        .unset = "none",
        .example = R"("shop.wsgi:application")",
        .cost = Cost::kRolling},
    app.wsgi);
  v(Row{.key = "asgi",
        .meaning = "An asynchronous Python app (ASGI 3: HTTP, WebSocket, lifespan), named as `wsgi` names one. `uvloop` runs it where the "
                   "app's environment has that.",
        .unset = "none",
        .example = R"("shop.asgi:application")",
        .cost = Cost::kRolling},
    app.asgi);
  v(Row{.key = "command",
        .meaning =
            "A program that speaks HTTP/1.1 and its arguments; it finds its socket by `LISTEN_FDS`, `{fd}`, "
            "`{socket}` or `{port}`; in a shell's line also by `$PORTHERD_SOCKET` or `$PORT`.",
        .form = Form::kProgram,
        .most = kMostItems,
        .unset = "none",
        .example = R"(["node", "server.js"])",
        .cost = Cost::kRolling},
    app.command);
  v(Row{.key = "proxy",
        .meaning = "Workers that somebody else supervises; they need not be there at start.",
        .form = Form::kSocketPath,
        .most = kMostItems,
        .unset = "none",
        .example = R"(["unix:/run/shop/shop.sock"])",
        .cost = Cost::kScale},
    app.proxy);
}

template <class V>
void visit_where(V& v, App& app) {
  v(Row{.key = "hosts",
        .meaning = R"(Host names of the app. None or `"*"`: every host that no other app has.)",
        .form = Form::kHost,
        .most = kMostItems,
        .unset = "every host that no other app has",
        .example = R"(["shop.example.com", "www.shop.example.com"])"},
    app.hosts);
  v(Row{.key = "directory",
        .meaning = "Working folder; other paths of the app are relative to it.",
        .form = Form::kPath,
        .unset = "the folder of the file that the app stands in",
        .example = R"("/srv/shop")",
        .cost = Cost::kRolling},
    app.directory);
  v(Row{.key = "plain_http",
        .meaning = "What a request without TLS gets: a redirect to https, the app's answer, or a refusal. "
                   "`\"redirect\"` is the default where there is an https listener."},
    app.plain_http);
}

/// `P` is an App, or a Service of it: the same rows.
template <class V, class P>
void visit_surroundings(V& v, P& process) {
  v(Row{.key = "user",
        .meaning = "Who its processes run as, when started as root.",
        .form = Form::kName,
        .unset = "the supervisor's user",
        .example = R"("shop")",
        .cost = Cost::kRolling},
    process.user);
  v(Row{.key = "group",
        .meaning = "The group of its processes, when started as root.",
        .form = Form::kName,
        .unset = "the user's group",
        .example = R"("shop")",
        .cost = Cost::kRolling},
    process.group);
  v(Row{.key = "umask",
        .meaning = "File mode bits that its processes take away, in octal.",
        .most = 0777,
        .unset = "inherited",
        .example = R"("027")",
        .cost = Cost::kRolling},
    process.umask);
  v(Row{.key = "env",
        .meaning = "Environment of its processes; wins over `env_file`.",
        .unset = "nothing",
        .example = R"({ DJANGO_SETTINGS_MODULE = "shop.settings" })",
        .cost = Cost::kRolling},
    process.env);
  v(Row{.key = "env_file",
        .meaning = "File of `KEY=VALUE` lines for the environment.",
        .form = Form::kPath,
        .unset = "none",
        .example = R"(".env")",
        .cost = Cost::kRolling},
    process.env_file);
  v(Row{.key = "rlimits",
        .meaning = "Resource limits of each of its processes (`getrlimit(2)`), by name: `as`, `core`, `cpu`, `data`, `fsize`, `memlock`, "
                   "`msgqueue`, `nofile`, `nproc` (of all processes of its user), `sigpending`, `stack`. One value is soft and hard "
                   "limit (of `cpu` the hard one is a second later); else `{ soft = 1024, hard = 4096 }`. `\"infinity\"` is none.",
        .unset = "inherited",
        .example = R"({ nofile = 4096, nproc = 100, as = "1GiB", core = 0 })",
        .cost = Cost::kRolling},
    process.rlimits);
  v(Row{.key = "nice",
        .meaning = "Niceness of its processes: with 19 they run when nobody else wants the CPU. Below Portherd's own only as root.",
        .unset = "inherited",
        .example = "10",
        .cost = Cost::kRolling},
    process.nice);
}

/// What a service does not say, its app does.
template <class V>
void visit(V& v, Service& service) {
  constexpr std::string_view kAsTheApp = "as the app has it";
  v(Row{.key = "name",
        .meaning = "Letters, digits, `-` and `_`; what it is called in logs and by commands.",
        .unset = "must be given",
        .example = R"("queue")"},
    service.name);
  v(Row{.key = "command",
        .meaning = "A program and its arguments.",
        .form = Form::kProgram,
        .most = kMostItems,
        .unset = "must be given",
        .example = R"(["venv/bin/celery", "-A", "shop", "worker"])"},
    service.command);
  v(Row{.key = "directory",
        .meaning = "Where it runs. Paths that stand here are relative to the app's `directory`, not to this one.",
        .form = Form::kPath,
        .unset = kAsTheApp,
        .example = R"("jobs")"},
    service.directory);
  auto as_service = [&v, kAsTheApp](Row row, auto& value) {
    row.unset = kAsTheApp;
    row.cost.reset();  // the workers have nothing to do with it
    v(row, value);
  };
  visit_surroundings(as_service, service);
  v(Row{.key = "stop_signal",
        .meaning = "Asks it to end; after `graceful_timeout` it is killed.",
        .unset = kAsTheApp,
        .example = R"("QUIT")"},
    service.stop_signal);
  v(Row{.key = "graceful_timeout",
        .meaning = "From `stop_signal` to SIGKILL for the whole process group.",
        .most = kDay,
        .unset = kAsTheApp,
        .example = R"("5m")"},
    service.graceful_timeout);
  v(Row{.key = "no_new_privs",
        .meaning = "Whether no program that it starts may have more rights than it has.",
        .unset = kAsTheApp,
        .example = "false"},
    service.no_new_privs);
}

/// What all processes of an app may take together: of its cgroup.
template <class V>
void visit_share(V& v, App& app) {
  v(Row{.key = "memory_max",
        .meaning = "Memory of all processes of the app together, services included; beyond it the kernel kills one of them. A bound that no "
                   "request should meet: `max_memory` replaces a worker before. Needs a cgroup (v2) that is ours, as in our systemd unit.",
        .form = Form::kSize,
        .least = 1_MiB,
        .most = 1024_GiB,
        .unset = "no limit",
        .example = R"("1GiB")",
        .cost = Cost::kRolling},
    app.memory_max);
  v(Row{.key = "cpu_max",
        .meaning = "CPU time of all of them together, as a share of one CPU; beyond it they wait. `workers = \"auto\"` goes by it. Needs a cgroup.",
        .least = 1,
        .most = 102'400,
        .unset = "no limit",
        .example = R"("150%")",
        .cost = Cost::kRolling},
    app.cpu_max);
  v(Row{.key = "pids_max",
        .meaning = "Processes and threads of all of them together; beyond it none can be started. Needs a cgroup.",
        .least = 1,
        .most = 4'194'304,
        .unset = "no limit",
        .example = "200",
        .cost = Cost::kRolling},
    app.pids_max);
}

template <class V>
void visit_process(V& v, App& app) {
  v(Row{.key = "python",
        .meaning = "Interpreter of a `wsgi` or `asgi` app: a name for `PATH`, or a path (`venv/bin/python`).",
        .form = Form::kProgram,
        .cost = Cost::kRolling},
    app.python);
  v(Row{.key = "reload",
        .meaning = "For development: the app is restarted when a file changes that it is made of. Of Python, in the folders that it "
                   "imports from; of a `command`, in its `directory` and below.",
        .cost = Cost::kRolling},
    app.reload);
  v(Row{.key = "preload",
        .meaning = "Imports a `wsgi` or `asgi` app once, and forks the workers: they are ready at once and share its memory. Not for an app "
                   "whose import starts threads.",
        .cost = Cost::kRolling},
    app.preload);
  v(Row{.key = "post_fork",
        .meaning = "With `preload`: a function without arguments, `\"module:function\"`, that each worker calls before it is ready, to "
                   "open anew what cannot be shared.",
        .unset = "none",
        .example = R"("shop.hooks:post_fork")",
        .cost = Cost::kRolling},
    app.post_fork);
  visit_surroundings(v, app);
  v(Row{.key = "no_new_privs",
        .meaning = "No program that its processes start has more rights than they have: setuid programs (`sudo`, `sendmail`) do not "
                   "work as such.",
        .cost = Cost::kRolling},
    app.no_new_privs);
  v(Row{.key = "strict",
        .meaning = "What of `user`, `group`, `rlimits`, `nice`, `memory_max`, `cpu_max` and `pids_max` this machine does not give is a reason not to start "
                   "it. Else it is started all the same, and a warning says what is not in force.",
        .cost = Cost::kRolling},
    app.strict);
  visit_share(v, app);
  v(Row{.key = "stop_signal",
        .meaning = "Asks a worker to end; after `graceful_timeout` it is killed. Of a `wsgi` or `asgi` app "
                   "always `\"TERM\"`.",
        .cost = Cost::kRolling},
    app.stop_signal);
  v(Row{.key = "stack_signal",
        .meaning = "Makes a `command` print where it is, for a request that has run out of time and is not let go of; a "
                   "program that does not know it may end. A `wsgi` or `asgi` app does so unasked.",
        .unset = "no worker is asked",
        .example = R"("USR2")",
        .cost = Cost::kRolling},
    app.stack_signal);
}

template <class V>
void visit_herd(V& v, App& app) {
  v(Row{.key = "workers",
        .meaning = "Processes of the app. `\"auto\"`: as many as the CPUs and the memory that we may really use are good for. "
                   "Two bounds: as many as the load needs, see `target_wait` and `idle_timeout`; a `min` of 0 starts the "
                   "first one when a request comes, which waits.",
        .least = 1,
        .most = kMostWorkersOfApp,
        .cost = Cost::kScale},
    app.workers);
  v(Row{.key = "threads", .meaning = "Threads of one `wsgi` worker; an `asgi` worker has one, and `concurrency`.", .least = 1, .most = 1024, .cost = Cost::kRolling}, app.threads);
  v(Row{.key = "concurrency",
        .meaning = "Requests that one worker gets at the same time.",
        .least = 1,
        .most = 65'536,
        .unset = "`threads` for `wsgi`, 100 for `asgi`, 16 for `command`, 1024 for `proxy`",
        .example = "16",
        .cost = Cost::kRolling},
    app.concurrency);
  v(Row{.key = "max_surge",
        .meaning = "Processes beyond `workers` while workers are replaced: so many new ones start at the same time.",
        .least = 1,
        .most = kMostWorkersOfApp},
    app.max_surge);
  v(Row{.key = "max_requests",
        .meaning = "A worker that has served so many is replaced; no request notices.",
        .unset = "off",
        .example = "10000"},
    app.max_requests);
  v(Row{.key = "max_requests_jitter",
        .meaning = "A random number up to this is added to `max_requests`, for each worker once, so that they do not all end "
                   "together."},
    app.max_requests_jitter);
  v(Row{.key = "max_memory",
        .meaning = "A worker that is larger is replaced, by its proportional set size (what it shares counts in parts); "
                   "`\"0B\"` is off.",
        .form = Form::kSize,
        .most = 1024_GiB},
    app.max_memory);
  v(Row{.key = "max_age",
        .meaning = "A worker that has been ready for so long is replaced; `\"0s\"` is off.",
        .most = 365 * kDay},
    app.max_age);
  v(Row{.key = "health", .meaning = "How a worker proves that it is ready, and that it still works."}, app.health);
  v(Row{.key = "target_wait",
        .meaning = "Below the `max` of `workers` another one is started when requests wait for a slot for longer than this.",
        .least = 1,
        .most = kDay},
    app.target_wait);
  v(Row{.key = "queue_size",
        .meaning = "Requests that may wait for a worker; beyond it 503 with `Retry-After`.",
        .most = 1'000'000},
    app.queue_size);
  v(Row{.key = "boot_timeout",
        .meaning = "From spawn to ready; then the worker is killed.",
        .least = 1,
        .most = kDay},
    app.boot_timeout);
  v(Row{.key = "graceful_timeout",
        .meaning = "From `stop_signal` to SIGKILL for the whole process group.",
        .most = kDay},
    app.graceful_timeout);
  v(Row{.key = "idle_timeout",
        .meaning = "Above the `min` of `workers` one is stopped when fewer would have done for so long; the last one, where `min` "
                   "is 0, when there was no request for so long.",
        .least = 1,
        .most = kDay},
    app.idle_timeout);
}

template <class V>
void visit_routes(V& v, App& app) {
  v(Row{.key = "routes",
        .meaning = "Who answers, by the beginning of the path: the front itself (files, or a redirect), another app, or this one "
                   "by other rules. All else is the app's; an app may also be routes alone.",
        .most = kMostRoutes},
    app.routes);
}

template <class V>
void visit_services(V& v, App& app) {
  v(Row{.key = "services",
        .meaning = "Processes without HTTP that are kept running beside the workers: queue workers, schedulers. An app may also be "
                   "services alone. `env` is put over the app's.",
        .most = kMostServices,
        .cost = Cost::kService},
    app.services);
}

template <class V>
void visit(V& v, App& app) {
  visit_what(v, app);
  visit_where(v, app);
  visit_process(v, app);
  visit_herd(v, app);
  visit(v, app.rules);
  visit_routes(v, app);
  visit_services(v, app);
}

/// All but the apps: those are under [apps.NAME] or in a file each, and the walker loops over them itself.
template <class V>
void visit(V& v, Settings& settings) {
  v(Row{.key = "listen", .meaning = "Where clients connect.", .cost = Cost::kReopen}, settings.listen);
  v(Row{.key = "front", .meaning = "The process that talks to clients."}, settings.front);
  v(Row{.key = "tls", .meaning = "Certificates for the `https` addresses.", .cost = Cost::kReopen}, settings.tls);
  v(Row{.key = "control", .meaning = "How the command line reaches the supervisor.", .cost = Cost::kRestart}, settings.control);
  v(Row{.key = "log", .meaning = "Where events are written.", .cost = Cost::kReopen}, settings.log);
  v(Row{.key = "metrics", .meaning = "For who looks after Portherd: figures, liveness and readiness.", .cost = Cost::kReopen}, settings.metrics);
}

/// A value that is a table of rows itself.
template <class T>
concept Section = std::same_as<T, Listen> || std::same_as<T, Front> || std::same_as<T, Clocks> ||
    std::same_as<T, Tls> || std::same_as<T, Control> || std::same_as<T, Log> || std::same_as<T, AccessLog> ||
    std::same_as<T, ErrorLog> || std::same_as<T, Metrics> || std::same_as<T, Health> || std::same_as<T, Route> ||
    std::same_as<T, Service>;

/// Several such tables, `[[routes]]` and `[[services]]`.
template <class T>
concept SectionList = std::same_as<T, std::vector<Route>> || std::same_as<T, std::vector<Service>>;

}  // namespace conf
