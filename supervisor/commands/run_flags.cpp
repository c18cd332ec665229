#include "supervisor/commands/run_flags.h"

#include <fmt/format.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace supervisor {
namespace {

// What has an equal. The meaning of each: supervisor/gunicorn.cpp.
struct Flag {
  const char* flags;
  const char* name;  // gunicorn's
  const char* meaning;
  const char* type;
};

constexpr Flag kFlags[] = {
    {"-k,--worker-class", "worker_class", "gunicorn's: sync (one thread), gthread, or uvicorn.workers.UvicornWorker (ASGI)", "CLASS"},
    {"--max-requests,--limit-max-requests", "max_requests", "replace a worker that has served so many", "N"},
    {"--max-requests-jitter", "max_requests_jitter", "add a random number up to this", "N"},
    {"-t,--timeout", "timeout", "request_timeout: silence of the app, then 504", "SECONDS"},
    {"--graceful-timeout,--timeout-graceful-shutdown", "graceful_timeout", "for what is in flight at the end", "SECONDS"},
    {"--keep-alive,--timeout-keep-alive", "keepalive", "idle connections of clients", "SECONDS"},
    {"-e,--env", "raw_env", "a variable of the app's environment; again for more", "KEY=VALUE"},
    {"--access-logfile", "accesslog", "where requests are logged; - is stderr", "FILE"},
    {"--log-level", "loglevel", "the least important lines that are logged", "LEVEL"},
    {"--forwarded-allow-ips", "forwarded_allow_ips", "proxies that are believed ($FORWARDED_ALLOW_IPS)", "ADDRESSES"},
    {"-u,--user", "user", "the app's user, where root runs this", "USER"},
    {"-g,--group", "group", "the app's group", "GROUP"},
    {"-m,--umask", "umask", "of the app's files, octal", "MASK"},
    {"--pythonpath", "pythonpath", "folders to import from, before others", "FOLDERS"},
    {"--error-logfile,--log-file", "errorlog", "where errors are logged; - is stderr", "FILE"},
    {"--limit-request-fields", "limit_request_fields", "header fields of a request, at most", "N"},
    {"--certfile,--ssl-certfile", "certfile", "FOLDER/NAME.crt: https at the address, with the certificates of that folder", "FILE"},
    {"--keyfile,--ssl-keyfile", "keyfile", "FOLDER/NAME.key", "FILE"},
};

void describe_gunicorn(CLI::App& line, RunArguments& into) {
  for (const Flag& flag : kFlags) {
    const auto take = [&into, name = flag.name](const std::vector<std::string>& texts) { into.gunicorn.push_back({name, texts}); };
    CLI::Option* const option = line.add_option_function<std::vector<std::string>>(flag.flags, take, flag.meaning)
                                    ->type_name(flag.type)
                                    ->allow_extra_args(false)
                                    ->group("Known from gunicorn and uvicorn");
    if (std::string_view(flag.name) != "raw_env") option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
}

// What has none. `sentence`: why none is needed, or what to do instead.
struct Other {
  const char* flags;
  bool has_value;
  bool is_refused;
  const char* sentence;
};

constexpr bool kFlag = false;
constexpr bool kValue = true;
constexpr bool kTaken = false;
constexpr bool kRefused = true;

constexpr const char* kOneLoop = "nothing to choose: the worker's event loop is uvloop's where that is installed, and HTTP and WebSocket are its own";
constexpr const char* kFrontBelieves = "the front says who the client is, and believes those in --forwarded-allow-ips";
constexpr const char* kNoPings = "a WebSocket that is silent for `stream_timeout` (10 min) is cut; no pings are sent";
constexpr const char* kAppsFields = "Date is the front's, and no Server is added to what the app says";

constexpr Other kOthers[] = {
    {"--loop", kValue, kTaken, kOneLoop},
    {"--http", kValue, kTaken, kOneLoop},
    {"--ws", kValue, kTaken, kOneLoop},
    {"--interface", kValue, kTaken, "an app is told by what it is"},
    {"--lifespan", kValue, kTaken, "an app that has a lifespan gets it; one that fails in it does not start"},
    {"--ws-max-size", kValue, kTaken, "a message has 16 MiB at most"},
    {"--ws-max-queue", kValue, kTaken, "what the app does not receive waits with the client after 64 KiB"},
    {"--ws-ping-interval", kValue, kTaken, kNoPings},
    {"--ws-ping-timeout", kValue, kTaken, kNoPings},
    {"--ws-per-message-deflate", kValue, kTaken, "messages are not compressed"},
    {"--h11-max-incomplete-event-size", kValue, kTaken, "`[front] max_head` bounds the head"},
    {"--backlog", kValue, kTaken, "the kernel's limit (net.core.somaxconn) is used"},
    {"--proxy-headers,--no-proxy-headers", kFlag, kTaken, kFrontBelieves},
    {"--server-header,--no-server-header,--date-header,--no-date-header", kFlag, kTaken, kAppsFields},
    {"--use-colors,--no-use-colors", kFlag, kTaken, "logs have no colours"},
    {"-D,--daemon", kFlag, kRefused, "run stays in the foreground; `portherd serve` is for a service manager"},
    {"-c,--config", kValue, kRefused,
     "`portherd import gunicorn.conf.py` prints it as a portherd.toml, which `portherd serve -c FILE` serves"},
    {"--reload-dir,--reload-include,--reload-exclude", kValue, kTaken, "the folders are watched that the app imports from"},
    {"--app-dir", kValue, kRefused, "`--chdir FOLDER` runs the app there"},
    {"--root-path", kValue, kRefused, "the app says it itself (`FastAPI(root_path=...)`); paths are not rewritten"},
    {"--log-config", kValue, kRefused, "Python's logging is the app's own; what it prints is in the log with its app and worker"},
};

// The same of gunicorn's, which has its sentences in supervisor/gunicorn.cpp.
struct Known {
  const char* flags;
  bool has_value;
  const char* name;
};

constexpr Known kKnown[] = {
    {"-n,--name", kValue, "proc_name"},
    {"-p,--pid", kValue, "pidfile"},
    {"--worker-tmp-dir", kValue, "worker_tmp_dir"},
    {"--worker-connections", kValue, "worker_connections"},
    {"--access-logformat", kValue, "access_log_format"},
    {"--capture-output", kFlag, "capture_output"},
    {"--logger-class", kValue, "logger_class"},
    {"--log-syslog", kFlag, "syslog"},
    {"--log-syslog-to", kValue, "syslog_addr"},
    {"--statsd-host", kValue, "statsd_host"},
    {"--statsd-prefix", kValue, "statsd_prefix"},
    {"--limit-request-line", kValue, "limit_request_line"},
    {"--limit-request-field_size", kValue, "limit_request_field_size"},
    {"--reuse-port", kFlag, "reuse_port"},
    {"--no-sendfile", kFlag, "sendfile"},
    {"--initgroups", kFlag, "initgroups"},
    {"--spew", kFlag, "spew"},
    {"-R,--enable-stdio-inheritance", kFlag, "enable_stdio_inheritance"},
    {"--ciphers", kValue, "ciphers"},
};

void note(const Other& other, RunArguments& into) {
  std::string sentence = fmt::format("{}: {}", other.flags, other.sentence);
  if (!other.is_refused) return into.said.push_back(std::move(sentence));
  into.refused = std::move(sentence);
}

// Not in the help.
void describe_one(CLI::App& line, const char* flags, bool has_value, const std::function<void()>& take) {
  CLI::Option* const option = has_value ? line.add_option_function<std::string>(flags, [take](const std::string&) { take(); })
                                        : line.add_flag_callback(flags, take);
  option->group("");
}

void describe_others(CLI::App& line, RunArguments& into) {
  for (const Other& other : kOthers) describe_one(line, other.flags, other.has_value, [&] { note(other, into); });
  for (const Known& known : kKnown) {
    describe_one(line, known.flags, known.has_value,
                 [&] { into.said.push_back(fmt::format("{}: {}", known.flags, gunicorn::sentence_of(known.name))); });
  }
}

}  // namespace

void describe_known_flags(CLI::App& line, RunArguments& into) {
  describe_gunicorn(line, into);
  describe_others(line, into);
}

}  // namespace supervisor
