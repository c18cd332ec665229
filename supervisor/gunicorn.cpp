#include "supervisor/gunicorn.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>

#include "conf/limits.h"
#include "conf/source.h"
#include "runtime/text.h"

namespace supervisor::gunicorn {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Result;
using std::chrono::milliseconds;

constexpr milliseconds kLongest = std::chrono::hours(24);

struct Row {
  std::string_view name;
  std::string_view key;       // ours; of an app where it begins with a dot
  std::string_view sentence;  // what is different, or why there is nothing of the kind
  Result<void> (*take)(const Setting&, Draft&) = nullptr;
};

bool is_unset(const Setting& setting) {
  return setting.texts.empty() || (setting.texts.size() == 1 && setting.texts[0].empty());
}

std::unexpected<runtime::Error> refuse(const Setting& setting, std::string_view item, std::string_view expected) {
  return fail(Code::kConfig, fmt::format("{}: `{}` is not {}", setting.name, conf::printable(std::string(item)), expected));
}

std::unexpected<runtime::Error> refuse(const Setting& setting, std::string_view expected) {
  return refuse(setting, setting.texts.front(), expected);
}

// As gunicorn splits a text where a list belongs.
std::vector<std::string> items_of(const Setting& setting) {
  std::vector<std::string> items;
  for (const std::string& text : setting.texts) {
    for (const std::string_view item : runtime::split(text, ',')) {
      if (!runtime::trim(item).empty()) items.emplace_back(runtime::trim(item));
    }
  }
  return items;
}

Result<std::size_t> number_of(const Setting& setting, std::size_t most) {
  const auto number = runtime::parse_number(setting.texts.front());
  if (!number || *number > most) return refuse(setting, fmt::format("a number from 0 to {}", most));
  return static_cast<std::size_t>(*number);
}

Result<milliseconds> seconds_of(const Setting& setting) {
  const std::string& text = setting.texts.front();
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !(seconds >= 0) || seconds > 1e9)
    return refuse(setting, "a number of seconds");
  return std::min(kLongest, milliseconds(std::llround(seconds * 1000)));
}

template <std::size_t conf::App::*member, std::size_t kMost>
Result<void> number_for_app(const Setting& setting, Draft& draft) {
  TRY(draft.app.*member, number_of(setting, kMost));
  return {};
}

Result<void> take_target(const Setting& setting, Draft& draft) {
  draft.target = setting.texts.front();
  return {};
}

Result<void> take_bind(const Setting& setting, Draft& draft) {
  for (const std::string& item : items_of(setting)) {
    if (item.starts_with("fd://")) {
      draft.left_out.push_back("bind: sockets that systemd hands over (LISTEN_FDS) are served unasked");
      continue;
    }
    auto address = conf::parse_address(address_of(item));
    if (!address)
      return fail(Code::kConfig,
                  fmt::format("bind `{}`: {}", conf::printable(item), address.error().sentence));
    draft.settings.listen.http.push_back(std::move(*address));
  }
  return {};
}

Result<void> take_workers(const Setting& setting, Draft& draft) {
  TRY(const std::size_t number, number_of(setting, conf::kMostWorkersOfApp));
  draft.app.workers = conf::Workers::fixed(std::max<std::size_t>(number, 1));
  return {};
}

Result<void> take_threads(const Setting& setting, Draft& draft) {
  TRY(const std::size_t number, number_of(setting, 1024));
  draft.app.threads = std::max<std::size_t>(number, 1);
  draft.has_threads = true;
  return {};
}

Result<void> take_worker_class(const Setting& setting, Draft& draft) {
  const std::string& name = setting.texts.front();
  const auto has = [&name](std::string_view part) { return name.find(part) != std::string::npos; };
  draft.is_sync = name == "sync" || has("SyncWorker");
  if (has("uvicorn") || has("Uvicorn")) {
    draft.kind = Kind::kAsgi;
  } else if (has("gevent") || has("eventlet")) {
    draft.left_out.push_back(
        "worker_class: there are no greenlets here and nothing is patched; `threads` take requests that "
        "wait");
  } else if (has("tornado")) {
    return refuse(setting, "served here: run it as a `command`");
  }
  return {};
}

template <milliseconds conf::Rules::*member>
Result<void> rule(const Setting& setting, Draft& draft) {
  TRY(const milliseconds time, seconds_of(setting));
  draft.app.rules.*member = time.count() == 0 ? kLongest : time;  // gunicorn: 0 is for ever
  return {};
}

Result<void> take_graceful_timeout(const Setting& setting, Draft& draft) {
  TRY(draft.app.graceful_timeout, seconds_of(setting));
  draft.settings.front.drain_timeout = draft.app.graceful_timeout;
  return {};
}

Result<void> take_keepalive(const Setting& setting, Draft& draft) {
  TRY(const milliseconds time, seconds_of(setting));
  draft.settings.front.clocks.keep_alive = std::max(time, milliseconds(1000));
  return {};
}

Result<void> take_fields(const Setting& setting, Draft& draft) {
  TRY(const std::size_t number, number_of(setting, 32768));
  draft.settings.front.max_fields = std::clamp<std::size_t>(number, 1, 1000);
  return {};
}

Result<void> take_directory(const Setting& setting, Draft& draft) {
  draft.app.directory = setting.texts.front();
  return {};
}

Result<void> take_environment(const Setting& setting, Draft& draft) {
  for (const std::string& item : setting.texts) {
    const std::size_t equals = item.find('=');
    if (equals == 0 || equals == std::string::npos) return refuse(setting, item, "KEY=VALUE");
    draft.app.env[item.substr(0, equals)] = item.substr(equals + 1);
  }
  return {};
}

Result<void> take_python_path(const Setting& setting, Draft& draft) {
  std::string folders;
  for (const std::string& folder : items_of(setting)) folders += (folders.empty() ? "" : ":") + folder;
  draft.app.env["PYTHONPATH"] = folders;
  return {};
}

template <std::string conf::App::*member>
Result<void> text_for_app(const Setting& setting, Draft& draft) {
  draft.app.*member = setting.texts.front();
  return {};
}

template <bool conf::App::*member>
Result<void> flag_for_app(const Setting& setting, Draft& draft) {
  draft.app.*member = setting.texts.front() == "True";
  return {};
}

Result<void> take_umask(const Setting& setting, Draft& draft) {
  const std::string& text = setting.texts.front();
  std::uint32_t bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 8);
  if (error != std::errc() || end != text.data() + text.size() || bits > 0777)
    return refuse(setting, "an octal mask");
  if (bits != 0) draft.app.umask = conf::Umask{bits};
  return {};
}

Result<void> take_spool(const Setting& setting, Draft& draft) {
  draft.settings.front.spool = setting.texts.front();
  return {};
}

Result<void> take_trusted(const Setting& setting, Draft& draft) {
  for (const std::string& item : items_of(setting)) {
    const std::string_view networks = item == "*" ? "0.0.0.0/0,::/0" : std::string_view(item);
    for (const std::string_view network : runtime::split(networks, ',')) {
      const auto read = conf::parse_network(network);
      if (!read) return refuse(setting, network, "an address, a network or `*`");
      draft.settings.front.trusted_proxies.push_back(*read);
    }
  }
  return {};
}

Result<void> take_proxy_protocol(const Setting& setting, Draft& draft) {
  if (setting.texts.front() != "False" && setting.texts.front() != "off")
    draft.proxy_protocol = setting.texts.front();
  return {};
}

Result<void> take_access_log(const Setting& setting, Draft& draft) {
  conf::AccessLog& access = draft.settings.log.access;
  access.format = conf::AccessFormat::kCombined;
  access.path = setting.texts.front() == "-" ? "" : setting.texts.front();
  return {};
}

Result<void> take_error_log(const Setting& setting, Draft& draft) {
  if (setting.texts.front() != "-") draft.settings.log.error.path = setting.texts.front();
  return {};
}

Result<void> take_log_level(const Setting& setting, Draft& draft) {
  std::string level;
  for (const char c : setting.texts.front()) level += runtime::lower(c);
  conf::LogLevel& into = draft.settings.log.error.level;
  if (level == "debug" || level == "trace")
    into = conf::LogLevel::kDebug;
  else if (level == "info")
    into = conf::LogLevel::kInfo;
  else if (level == "warning")
    into = conf::LogLevel::kWarning;
  else if (level == "error" || level == "critical")
    into = conf::LogLevel::kError;
  else
    return refuse(setting, "debug, info, warning, error or critical");
  return {};
}

Result<void> take_certificate(const Setting& setting, Draft& draft) {
  draft.certificate = setting.texts.front();
  return {};
}

Result<void> take_key(const Setting& setting, Draft& draft) {
  draft.key = setting.texts.front();
  return {};
}

constexpr std::string_view kNewProcess =
    "each worker is a new process that imports the app: what it does at import is done in each";
constexpr std::string_view kNoHook =
    "no Python runs in Portherd itself; `portherd logs`, `status` and /metrics say what happened";
constexpr std::string_view kNoLogging =
    "Python's logging is the app's own; what it prints is in the log with its app and worker";
constexpr std::string_view kStrict =
    "not to be weakened: requests that could be read in two ways are refused";

constexpr Row kRows[] = {
    {"wsgi_app", ".wsgi", "", take_target},
    {"bind", "listen.http", "", take_bind},
    {"backlog", "",
     "the kernel's limit (net.core.somaxconn) is used; `queue_size` is how many may wait for a worker"},
    {"workers", ".workers", "", take_workers},
    {"worker_class", "", "", take_worker_class},
    {"threads", ".threads", "", take_threads},
    {"worker_connections", "",
     "a worker has as many connections as `concurrency`; clients are the front's: `max_connections`"},
    {"max_requests", ".max_requests", "", number_for_app<&conf::App::max_requests, 2147483647>},
    {"max_requests_jitter", ".max_requests_jitter", "",
     number_for_app<&conf::App::max_requests_jitter, 2147483647>},
    {"timeout", ".request_timeout",
     "timeout: the request ends with 504, and no worker is killed for it; one that does not let go of it "
     "within graceful_timeout is replaced",
     rule<&conf::Rules::request_timeout>},
    {"graceful_timeout", ".graceful_timeout", "", take_graceful_timeout},
    {"keepalive", "front.clocks.keep_alive",
     "keepalive: of clients; it was short only because an idle client held a worker, which it does not here",
     take_keepalive},
    {"limit_request_line", "", "`[front] max_head` bounds the whole head"},
    {"limit_request_fields", "front.max_fields", "", take_fields},
    {"limit_request_field_size", "", "`[front] max_head` bounds the whole head"},
    {"reload", ".reload", "", flag_for_app<&conf::App::reload>},
    {"reload_engine", "", "inotify"},
    {"reload_extra_files", "", "the folders are watched that the app imports from; for more there is `portherd restart APP`"},
    {"spew", "", "a stuck worker's stacks are in the error log"},
    {"check_config", "", "`portherd check`"},
    {"print_config", "", "`portherd check --print`"},
    {"preload_app", ".preload", "", flag_for_app<&conf::App::preload>},
    {"sendfile", "", "files are best served by the front: `[[routes]] files`"},
    {"reuse_port", "", "always"},
    {"chdir", ".directory", "", take_directory},
    {"daemon", "", "`portherd serve` stays in the foreground, for systemd or a container to watch"},
    {"raw_env", ".env", "", take_environment},
    {"pidfile", "", "`portherd status --json` has the pid"},
    {"worker_tmp_dir", "", "workers need no file to prove that they live"},
    {"user", ".user", "", text_for_app<&conf::App::user>},
    {"group", ".group", "", text_for_app<&conf::App::group>},
    {"umask", ".umask", "", take_umask},
    {"initgroups", "", "always"},
    {"tmp_upload_dir", "front.spool",
     "tmp_upload_dir: bodies are gathered before a worker is held; what does not fit into memory goes here",
     take_spool},
    {"secure_scheme_headers", "", "the scheme is believed of `trusted_proxies`, by X-Forwarded-Proto"},
    {"forwarded_allow_ips", "front.trusted_proxies", "", take_trusted},
    {"accesslog", "log.access", "", take_access_log},
    {"access_log_format", "", "`format` is \"combined\" or \"json\", which has all there is to know"},
    {"disable_redirect_access_to_syslog", "", "there is no syslog; journald reads stderr"},
    {"errorlog", "log.error.path", "", take_error_log},
    {"loglevel", "log.error.level", "", take_log_level},
    {"capture_output", "", "always"},
    {"logger_class", "", kNoLogging},
    {"logconfig", "", kNoLogging},
    {"logconfig_dict", "", kNoLogging},
    {"logconfig_json", "", kNoLogging},
    {"syslog", "", "there is no syslog; journald reads stderr"},
    {"syslog_addr", "", "there is no syslog; journald reads stderr"},
    {"syslog_prefix", "", "there is no syslog; journald reads stderr"},
    {"syslog_facility", "", "there is no syslog; journald reads stderr"},
    {"enable_stdio_inheritance", "", "output is never buffered (PYTHONUNBUFFERED)"},
    {"statsd_host", "", "`[metrics] listen` is for Prometheus"},
    {"statsd_prefix", "", "`[metrics] listen` is for Prometheus"},
    {"dogstatsd_tags", "", "`[metrics] listen` is for Prometheus"},
    {"proc_name", "", "logs, status and metrics know the app by its name here"},
    {"pythonpath", ".env", "", take_python_path},
    {"paste", "", "make the app in a module: `app = paste.deploy.loadapp(\"config:FILE\")`, and name that"},
    {"raw_paste_global_conf", "", "see paste"},
    {"proxy_protocol", "listen.proxy_protocol", "", take_proxy_protocol},
    {"proxy_allow_ips", "front.trusted_proxies", "", take_trusted},
    {"keyfile", "", "", take_key},
    {"certfile", "", "", take_certificate},
    {"ssl_version", "", "TLS 1.2 and 1.3; `[tls] min_version`"},
    {"cert_reqs", "", "clients are not asked for certificates"},
    {"ca_certs", "", "clients are not asked for certificates; NAME.crt has its own chain in it"},
    {"ciphers", "", "only suites with AEAD and forward secrecy are spoken"},
    {"do_handshake_on_connect", "", "no worker waits for a handshake"},
    {"suppress_ragged_eofs", "", "no worker sees TLS"},
    {"strip_header_spaces", "", kStrict},
    {"permit_unconventional_http_method", "", kStrict},
    {"permit_unconventional_http_version", "", kStrict},
    {"permit_obsolete_folding", "", kStrict},
    {"casefold_http_method", "", kStrict},
    {"header_map", "",
     "fields with `_` in their names never reach the environment of a WSGI app under another one's name"},
    {"forwarder_headers", "", "those are believed of `trusted_proxies` alone"},
    // Hooks.
    {"on_starting", "", kNoHook},
    {"on_reload", "", kNoHook},
    {"when_ready", "", kNoHook},
    {"pre_fork", "", "the zygote of `preload` holds nothing that would have to be closed before a fork"},
    {"post_fork", "", "`post_fork = \"module:function\"` beside `preload`; without that each worker imports the app"},
    {"post_worker_init", "", kNewProcess},
    {"worker_int", "", "on SIGTERM a worker finishes its requests and ends; `atexit` and `finally` are run"},
    {"worker_abort", "", "a worker is not killed for a slow request: its stacks are logged (see timeout)"},
    {"pre_exec", "", kNoHook},
    {"pre_request", "", "a WSGI middleware sees each request"},
    {"post_request", "", "a WSGI middleware sees each request; the access log has what it cost"},
    {"child_exit", "",
     "the error log has a certificate of each death, and /metrics counts them; what is to be cleaned up a "
     "worker can do by `atexit`"},
    {"worker_exit", "", "`atexit` is run when a worker ends"},
    {"nworkers_changed", "", kNoHook},
    {"on_exit", "", kNoHook},
    {"ssl_context", "", "`[tls]` says all there is to say"},
};

const Row* row_of(std::string_view name) {
  const auto found = std::ranges::find(kRows, name, &Row::name);
  return found != std::end(kRows) ? &*found : nullptr;
}

void leave_out(const Row& row, Draft& draft) {
  draft.left_out.push_back(fmt::format("{}: {}", row.name, row.sentence));
}

void note(std::string_view key, std::string_view sentence, Draft& draft) {
  draft.notes[key.starts_with('.') ? fmt::format("apps.{}{}", draft.app.name, key) : std::string(key)] =
      sentence;
}

bool is_default(const Setting& setting) {
  return is_unset(setting) || setting.texts.front() == "False" || setting.texts.front() == "0";
}

std::string_view stem_of(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  return path.substr(0, path.rfind('.'));
}

std::string_view folder_in(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

bool is_a_pair(std::string_view certificate, std::string_view key) {
  return certificate.ends_with(".crt") && key.ends_with(".key") && stem_of(certificate) == stem_of(key) &&
         folder_in(certificate) == folder_in(key);
}

// gunicorn speaks TLS at each address that it is bound to.
Result<void> finish_tls(Draft& draft) {
  conf::Listen& listen = draft.settings.listen;
  if (draft.certificate.empty() && draft.key.empty()) return {};
  if (draft.certificate.empty() || draft.key.empty())
    return fail(Code::kConfig, "certfile and keyfile go together");
  std::move(listen.http.begin(), listen.http.end(), std::back_inserter(listen.https));
  listen.http.clear();
  if (is_a_pair(draft.certificate, draft.key)) {
    draft.settings.tls.certificates = folder_in(draft.certificate);
    return {};
  }
  draft.settings.tls.certificates = "tls";
  draft.notes["tls.certificates"] = fmt::format(
      "a folder of NAME.crt (with its chain) and NAME.key: mkdir tls; ln -s {} tls/{}.crt; ln -s {} "
      "tls/{}.key",
      draft.certificate, stem_of(draft.certificate), draft.key, stem_of(draft.certificate));
  return {};
}

}  // namespace

Result<void> apply(const Setting& setting, Draft& draft) {
  const Row* row = row_of(setting.name);
  if (row == nullptr || is_unset(setting)) return {};
  if (row->take == nullptr) {
    if (!is_default(setting)) leave_out(*row, draft);
    return {};
  }
  TRY_VOID(row->take(setting, draft));
  if (!row->sentence.empty()) note(row->key, row->sentence, draft);
  return {};
}

void apply_hook(std::string_view name, Draft& draft) {
  const Row* row = row_of(name);
  if (row != nullptr) leave_out(*row, draft);
}

Result<void> finish(Draft& draft) {
  if (draft.kind == Kind::kAsgi && draft.has_threads) {
    draft.app.threads = conf::App().threads;
    draft.left_out.push_back("threads: the worker of an ASGI app has one, and takes as many requests as `concurrency` says");
  }
  const bool is_threaded = draft.has_threads && draft.app.threads > 1;
  if (draft.is_sync && !is_threaded && draft.kind != Kind::kAsgi) {
    draft.app.threads = 1;
    if (draft.app.concurrency != 0) draft.app.concurrency = 1;
    note(".threads",
         "one request at a time, as gunicorn's sync workers; where the app may be called by threads, more "
         "cost little",
         draft);
  }
  if (!draft.proxy_protocol.empty()) {
    for (const conf::Address& address : draft.settings.listen.http) {
      if (address.kind == conf::Address::Kind::kTcp) draft.settings.listen.proxy_protocol.push_back(address);
    }
  }
  return finish_tls(draft);
}

std::string_view sentence_of(std::string_view name) {
  const Row* row = row_of(name);
  return row != nullptr ? row->sentence : std::string_view();
}

std::string address_of(std::string_view bind) {
  if (bind.starts_with("unix://")) return fmt::format("unix:{}", bind.substr(7));
  if (bind.starts_with("unix:")) return std::string(bind);
  if (bind.starts_with("tcp://")) bind.remove_prefix(6);
  const std::size_t colon = bind.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bind.back() != ']') && bind.find(']') + 1 <= colon + 1;
  std::string_view host = has_port ? bind.substr(0, colon) : bind;
  const std::string_view port = has_port ? bind.substr(colon + 1) : "8000";
  if (host.empty()) host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  const bool is_bare_v6 = !host.starts_with('[') && host.find(':') != std::string_view::npos;
  return is_bare_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

void serve_python(conf::App& app, Kind kind, const std::string& target) {
  (kind == Kind::kAsgi ? app.asgi : app.wsgi) = target;
}

}  // namespace supervisor::gunicorn
