#include "conf/check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "conf/accounts.h"
#include "conf/certificates.h"
#include "conf/env_file.h"
#include "conf/fault.h"
#include "conf/forms.h"
#include "conf/limits.h"
#include "conf/program.h"
#include "conf/source.h"
#include "conf/units.h"
#include "conf/words.h"

namespace conf {
namespace {

constexpr std::string_view kEveryHost = "*";
constexpr runtime::Bytes kLeastMemory = 1_MiB;  // of a `max_memory`; below it every worker would be replaced at once

std::string because(std::string sentence, int number) {
  return runtime::Error{runtime::Code::kConfig, std::move(sentence), number}.text();
}

// 0, or the errno that says why we may not do with `path` what `mode` says, access(2).
int why_not(std::string const& path, int mode) {
  return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0 ? 0 : errno;
}

// The same for a folder: R_OK to list it, X_OK to reach what is in it, W_OK to make a file there.
int why_no_folder(std::string const& path, int mode) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return errno;
  if (!S_ISDIR(about.st_mode)) return ENOTDIR;
  return why_not(path, mode);
}

bool is_v6(std::string_view host) {
  return host.find(':') != std::string_view::npos;
}

// Both cannot be bound: the same port, and one host covers the other. "*" is IPv6 and IPv4.
bool do_clash(Address const& a, Address const& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == Address::Kind::kUnix) return a.path == b.path;
  if (a.port != b.port || a.port == 0) return false;
  if (a.host == b.host || a.host == "*" || b.host == "*") return true;
  if (is_v6(a.host) != is_v6(b.host)) return false;
  return a.host == "::" || b.host == "::" || a.host == "0.0.0.0" || b.host == "0.0.0.0";
}

bool has(std::vector<Address> const& addresses, Address const& address) {
  return std::ranges::find(addresses, address.text, &Address::text) != addresses.end();
}

// The visitor that finds the first rule that a route has; empty: none.
struct FirstRule {
  std::string key = {};
  template <class T>
  void operator()(Row const& row, std::optional<T>& value) {
    if (value && key.empty()) key = row.key;
  }
};

std::string first_of(OwnRules own) {
  FirstRule first;
  visit(first, own);
  return first.key;
}

class Checker {
 public:
  explicit Checker(Loaded& loaded)
      : settings_(loaded.settings),
        origins_(loaded.origins),
        broken_(loaded.broken),
        problems_(loaded.problems) {}

  void run() {
    check_listen();
    check_tls();
    check_control();
    check_account("front.user", settings_.front.user, "");
    check_spool();
    check_log("log.access.path", settings_.log.access.path);
    check_log("log.error.path", settings_.log.error.path);
    check_hosts();
    check_workers();
    for (App const& app : settings_.apps) check_app(app);
  }

 private:
  void check_listen() {
    std::vector<Bound> seen;
    for (std::size_t i = 0; i < settings_.listen.http.size(); ++i) {
      check_address(fmt::format("listen.http[{}]", i), settings_.listen.http[i], seen);
    }
    for (std::size_t i = 0; i < settings_.listen.https.size(); ++i) {
      check_address(fmt::format("listen.https[{}]", i), settings_.listen.https[i], seen);
    }
    if (settings_.metrics.listen) check_address("metrics.listen", *settings_.metrics.listen, seen);
    check_proxy_protocol();
  }

  struct Bound {
    Address const& address;
    std::string key;
  };

  void check_address(std::string key, Address const& address, std::vector<Bound>& seen) {
    auto const other =
        std::ranges::find_if(seen, [&](Bound const& b) { return do_clash(b.address, address); });
    if (other != seen.end()) {
      add(key, fmt::format("`{}` cannot be bound beside `{}`{}", address.text, other->address.text,
                           at(other->key)));
    }
    check_socket_path(key, address.path);
    seen.push_back({address, std::move(key)});
  }

  void check_proxy_protocol() {
    Listen const& listen = settings_.listen;
    for (std::size_t i = 0; i < listen.proxy_protocol.size(); ++i) {
      Address const& address = listen.proxy_protocol[i];
      std::string const key = fmt::format("listen.proxy_protocol[{}]", i);
      if (address.kind == Address::Kind::kUnix) {
        add(key, "`proxy_protocol` is for TCP: who connects to a Unix socket has no address to be trusted by");
      } else if (!has(listen.http, address) && !has(listen.https, address)) {
        add(key, fmt::format("`{}` is none of the addresses of `http` and `https`", address.text),
            {"listen.http", "listen.https"});
      }
    }
    if (!listen.proxy_protocol.empty() && settings_.front.trusted_proxies.empty()) {
      add("listen.proxy_protocol", "`proxy_protocol` needs `trusted_proxies` in `[front]`: nobody else is believed",
          {"front"});
    }
  }

  void check_tls() {
    std::string const& folder = settings_.tls.certificates;
    if (folder.empty()) {
      if (!settings_.listen.https.empty())
        add("listen.https", "`https` needs `certificates` in `[tls]`, a folder of NAME.crt and NAME.key",
            {"tls"});
      return;
    }
    if (int const why = why_no_folder(folder, R_OK | X_OK))
      return add_reason("tls.certificates", "certificates", folder, why);
    Certificates const found = look_for_certificates(folder);
    for (std::string const& sentence : found.problems) add("tls.certificates", sentence);
    if (found.names.size() > kMostCertificates) {
      add("tls.certificates", fmt::format("{} certificates in {}; at most {} can be used", found.names.size(),
                                          in_quotes(folder), kMostCertificates));
    }
    bool const has_none = found.names.empty() && found.problems.empty();
    if (has_none && !settings_.listen.https.empty()) {
      add("tls.certificates", fmt::format("no NAME.crt in {}; `https` needs one", in_quotes(folder)));
    }
  }

  void check_control() {
    check_socket_path("control.socket", settings_.control.socket);
    check_account("control.group", "", settings_.control.group);
  }

  void check_socket_path(std::string_view key, std::string const& path) {
    if (path.size() <= kLongestSocketPath) return;
    add(key, fmt::format("a Unix socket's path has at most {} bytes; {} has {}", kLongestSocketPath,
                         in_quotes(printable(path, kLongestLine)), path.size()));
  }

  // An empty name asks nothing.
  void check_account(std::string_view key, std::string const& user, std::string const& group) {
    if (!user.empty() && !is_user(user)) add(key, fmt::format("no user {} on this machine", in_quotes(user)));
    if (!group.empty() && !is_group(group))
      add(key, fmt::format("no group {} on this machine", in_quotes(group)));
  }

  void check_log(std::string_view key, std::string const& path) {
    if (path.empty()) return;
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) {
      std::string const folder = folder_of(path);
      if (int const why = why_no_folder(folder, W_OK | X_OK)) add_reason(key, "path", folder, why);
    } else if (S_ISDIR(about.st_mode)) {
      add(key, fmt::format("`path` {} is a folder, not a file", in_quotes(path)));
    } else if (int const why = why_not(path, W_OK)) {
      add_reason(key, "path", path, why);
    }
  }

  void check_hosts() {
    std::map<std::string_view, std::string_view> owners;  // host to app
    auto const take = [&](App const& app, std::string_view host, std::string const& key) {
      auto const [owner, is_new] = owners.emplace(host, app.name);
      if (is_new) return;
      if (host == kEveryHost) {
        add(key,
            fmt::format("apps `{}` and `{}` both take every host; give one of them `hosts`", owner->second,
                        app.name),
            {fmt::format("apps.{}", owner->second)});  // it may have hosts that could not be read
      } else {
        add(key, fmt::format("host {} is already of app `{}`", in_quotes(host), owner->second));
      }
    };
    for (App const& app : settings_.apps) {
      if (app.hosts.empty() && app.takes_requests()) take(app, kEveryHost, key_of(app));
      for (std::size_t i = 0; i < app.hosts.size(); ++i) {
        take(app, app.hosts[i], fmt::format("{}.hosts[{}]", key_of(app), i));
      }
    }
  }

  void check_workers() {
    std::size_t sum = 0;
    for (App const& app : settings_.apps) {
      bool const is_proxy = app.kind() == AppKind::kProxy;
      sum += is_proxy ? app.proxy.size() : app.has_processes() ? app.workers.max : 0;
      if (sum <= kMostWorkers) continue;
      return add(key_of(app, is_proxy ? "proxy" : "workers"),
                 fmt::format("more than {} workers, all apps together", kMostWorkers));
    }
  }

  void check_app(App const& app) {
    check_kind(app);
    check_folder(key_of(app), app);
    check_program(app);
    check_account(key_of(app, "user"), app.user, "");
    check_account(key_of(app, "group"), "", app.group);
    check_env_file(key_of(app), app);
    check_services(app);
    check_stop_signal(app);
    check_stack_signal(app);
    check_routes(app);
    check_workers_of(app);
    if (app.plain_http == PlainHttp::kRedirect && settings_.listen.https.empty()) {
      add(key_of(app, "plain_http"), "`plain_http = \"redirect\"` needs an `https` address in `[listen]`",
          {"listen"});
    }
    for (std::size_t i = 0; i < app.proxy.size(); ++i) {
      check_socket_path(fmt::format("{}.proxy[{}]", key_of(app), i), app.proxy[i].path);
    }
  }

  // Settings made in code have not been read by the rows.
  void check_workers_of(App const& app) {
    if (app.workers.max == 0) add(key_of(app, "workers"), "`workers` must be at least 1");
    if (app.max_requests_jitter > 0 && app.max_requests == 0) {
      add(key_of(app, "max_requests_jitter"), "`max_requests_jitter` needs `max_requests`, which it is added to");
    }
    if (app.max_memory > 0 && app.max_memory < kLeastMemory) {
      add(key_of(app, "max_memory"), fmt::format("`max_memory` of {}: no worker is that small", in_quotes(print_size(app.max_memory))));
    }
    if (app.health.interval > milliseconds(0) && app.health.path.empty()) {
      add(key_of(app, "health"), "`interval` of `health` needs `path`: what is to be asked for");
    }
    if (!app.has_processes()) check_nobody_is_replaced(app);
  }

  // Who is not ours is not replaced either.
  void check_nobody_is_replaced(App const& app) {
    std::array<std::pair<std::string_view, bool>, 3> const keys{{{"max_requests", app.max_requests > 0},
                                                                 {"max_memory", app.max_memory > 0},
                                                                 {"max_age", app.max_age > milliseconds(0)}}};
    for (auto const& [key, is_set] : keys) {
      if (!is_set) continue;
      add(key_of(app, key), fmt::format("`{}` is for workers that Portherd starts; app `{}` has none", key, app.name),
          {key_of(app)});
    }
  }

  void check_kind(App const& app) {
    std::vector<std::string_view> kinds;
    if (!app.wsgi.empty()) kinds.push_back("wsgi");
    if (!app.command.empty()) kinds.push_back("command");
    if (!app.proxy.empty()) kinds.push_back("proxy");
    if (kinds.empty()) {
      if (!app.routes.empty()) return;
      if (app.services.empty()) {
        add(key_of(app), fmt::format("app `{}` needs one of `wsgi`, `command` and `proxy`, or `routes` or `services`", app.name));
      } else if (!app.hosts.empty()) {
        add(key_of(app, "hosts"), fmt::format("app `{}` has only services, and nothing that answers", app.name), {key_of(app)});
      }
    }
    for (std::size_t i = 1; i < kinds.size(); ++i) {
      add(key_of(app, kinds[i]),
          fmt::format("app `{}` has `{}` and `{}`; it can be only one", app.name, kinds[0], kinds[i]));
    }
  }

  void check_routes(App const& app) {
    std::map<std::string_view, std::size_t> seen;
    for (std::size_t i = 0; i < app.routes.size(); ++i) {
      Route const& route = app.routes[i];
      std::string const key = fmt::format("{}.routes[{}]", key_of(app), i);
      if (auto const [first, is_new] = seen.emplace(route.path, i); !is_new) {
        add(key, fmt::format("path {} has a route already{}", in_quotes(route.path),
                             at(fmt::format("{}.routes[{}]", key_of(app), first->second))));
      }
      check_route(key, app, route);
    }
  }

  void check_route(std::string const& key, App const& app, Route const& route) {
    check_what(key, app, route);
    if (route.path.find('?') != std::string::npos) {
      add(key + ".path", "`path` of a route has no query: it is compared with what stands before the `?`");
    }
    if (!route.files.empty()) check_files(key + ".files", route.files);
    constexpr std::array<std::size_t, 4> kRedirects{301, 302, 307, 308};
    if (std::ranges::find(kRedirects, route.status) == kRedirects.end()) {
      add(key + ".status", "`status` must be 301, 302, 307 or 308");
    }
    if (!route.redirect.empty() && route.keep_path && route.redirect.find('?') != std::string::npos) {
      add(key + ".redirect", "`redirect` with a query needs `keep_path = false`: nothing can be put behind a query");
    }
  }

  void check_what(std::string const& key, App const& app, Route const& route) {
    std::string const rule = first_of(route.own);
    bool const is_front = !route.files.empty() || !route.redirect.empty();
    if (int{!route.files.empty()} + int{!route.redirect.empty()} + int{!route.app.empty()} > 1) {
      add(key, "a route needs only one of `files`, `redirect` and `app`");
    } else if (is_front && !rule.empty()) {
      add(fmt::format("{}.{}", key, rule),
          fmt::format("`{}` is for what an app answers; here the front does", rule));
    } else if (!is_front && route.app.empty()) {
      if (rule.empty()) add(key, "a route needs one of `files`, `redirect` and `app`, or a rule for the app, such as `max_body`");
      if (app.kind() == AppKind::kNone) add(key, fmt::format("app `{}` has only routes: this one needs `files`, `redirect` or `app`", app.name));
    }
    if (!route.app.empty()) check_other_app(key + ".app", app, route.app);
  }

  void check_other_app(std::string const& key, App const& app, std::string const& name) {
    auto const other = std::ranges::find(settings_.apps, name, &App::name);
    if (other == settings_.apps.end()) {
      add(key, fmt::format("`app`: there is no app {}", in_quotes(printable(name))), {fmt::format("apps.{}", name)});
    } else if (&*other == &app) {
      add(key, "`app` is for another app: this one answers without it");
    } else if (other->kind() == AppKind::kNone) {
      add(key, fmt::format("`app`: {} has only routes, and nothing that answers", in_quotes(name)), {key_of(*other)});
    }
  }

  // Whether there is room in it shows when it is needed: a full disk, or one that is only read, keeps nobody from starting.
  void check_spool() {
    std::string const& folder = settings_.front.spool;
    if (int const why = why_no_folder(folder, X_OK)) {
      return add("front.spool", because(fmt::format("`spool` must be a folder that the front's user can write to: {}",
                                                    in_quotes(printable(folder, kLongestLine))), why));
    }
    check_front_enters("front.spool", "spool", folder);
  }

  // The front reads its settings as TOML, which is UTF-8.
  void check_files(std::string const& key, std::string const& folder) {
    if (printable(folder, folder.size()) != folder) {
      return add(key, fmt::format("`files`: {} is not UTF-8 text", in_quotes(printable(folder, kLongestLine))));
    }
    if (int const why = why_no_folder(folder, X_OK)) return add_reason(key, "files", folder, why);
    check_front_enters(key, "files", folder);
  }

  void check_front_enters(std::string const& key, std::string_view name, std::string const& folder) {
    if (::geteuid() != 0) return;  // then the front is who we are
    std::string const user = front_user(settings_.front.user);
    std::optional<Identity> const front = identity_of(user);
    if (!front) return;  // said of `user`
    std::string const closed = closed_folder(folder, *front);
    if (closed.empty()) return;
    add(key, fmt::format("`{}`: the front's user `{}` cannot enter {}", name, user, in_quotes(printable(closed, kLongestLine))), {"front.user"});
  }

  void check_stack_signal(App const& app) {
    if (!app.stack_signal) return;
    std::string const key = key_of(app, "stack_signal");
    if (!app.wsgi.empty()) {
      add(key, "`stack_signal` is for a `command`: a `wsgi` app says its stacks without it");
    } else if (*app.stack_signal == app.stop_signal) {
      add(key, fmt::format("`stack_signal` and `stop_signal` are both {}: the worker would end", in_quotes(signal_name(app.stop_signal.number))));
    }
  }

  // Our Python worker ignores INT (the terminal's goes to everyone) and would die of the others at once.
  void check_stop_signal(App const& app) {
    if (app.wsgi.empty() || app.stop_signal.number == SIGTERM) return;
    add(key_of(app, "stop_signal"), fmt::format("a `wsgi` app drains on \"TERM\", not on {}",
                                                in_quotes(signal_name(app.stop_signal.number))));
  }

  void check_services(App const& app) {
    std::map<std::string_view, std::string> seen;  // by name: its key
    for (std::size_t i = 0; i < app.services.size(); ++i) {
      Service const& service = app.services[i];
      std::string const key = fmt::format("{}.services[{}]", key_of(app), i);
      if (!is_app_name(service.name)) {
        add(key + ".name", fmt::format("a service needs a `name` of up to 32 letters, digits, `-` and `_`, not {}",
                                       in_quotes(printable(service.name))));
      } else if (auto const [first, is_new] = seen.emplace(service.name, key); !is_new) {
        add(key + ".name", fmt::format("app `{}` has a service `{}` already{}", app.name, service.name, at(first->second)));
      }
      check_service(key, app, service);
    }
  }

  // What it has from its app has been looked at there.
  void check_service(std::string const& key, App const& app, Service const& service) {
    App const process = service_app(app, service);
    check_account(key + ".user", service.user, "");
    check_account(key + ".group", "", service.group);
    if (service.command.empty()) return add(key, "a service needs a `command`");
    if (is_unknown(key_of(app, "directory"))) return;  // its paths are against that
    if (!service.directory.empty()) check_folder(key, process);
    if (!service.env_file.empty()) check_env_file(key, process);
    check_executable(key, process, "command", service.command.front(), where_programs_are(key_of(app)));
  }

  void check_folder(std::string const& of, App const& app) {
    if (app.directory.empty()) return;  // only settings made in code: the working folder
    if (int const why = why_no_folder(app.directory, X_OK)) add_reason(of + ".directory", "directory", app.directory, why);
  }

  void check_program(App const& app) {
    if (!app.wsgi.empty()) {
      if (!is_module_attr(app.wsgi)) {
        add(key_of(app, "wsgi"),
            fmt::format("`wsgi` must be \"module:attr\", not {}", in_quotes(printable(app.wsgi))));
      }
      check_executable(key_of(app), app, "python", app.python);
    }
    if (!app.command.empty()) check_executable(key_of(app), app, "command", app.command.front());
  }

  // Where a program is looked for is known only if these are.
  static std::vector<std::string> where_programs_are(std::string const& of) {
    return {of + ".directory", of + ".env", of + ".env_file"};
  }

  void check_executable(std::string const& of, App const& app, std::string_view key, std::string const& name,
                        std::vector<std::string> also = {}) {
    runtime::Result<std::string> const program = find_program(name, search_path(app), app.directory);
    if (program) return;
    std::ranges::move(where_programs_are(of), std::back_inserter(also));
    add(fmt::format("{}.{}", of, key), fmt::format("`{}`: {}", key, program.error().text()), also);
  }

  void check_env_file(std::string const& of, App const& app) {
    if (app.env_file.empty()) return;
    std::expected<Environment, Problem> environment = read_env_file(app.env_file);
    if (environment) return;
    if (is_unknown(of + ".directory")) return;  // then it was looked for in another folder
    if (environment.error().line != 0) return problems_.push_back(std::move(environment.error()));
    add(of + ".env_file", fmt::format("`env_file` {} {}", in_quotes(app.env_file), environment.error().sentence));
  }

  static std::string key_of(App const& app) { return fmt::format("apps.{}", app.name); }
  static std::string key_of(App const& app, std::string_view key) {
    return fmt::format("apps.{}.{}", app.name, key);
  }

  // Where `key` stands, else the nearest table or list around it that does, else the main file.
  Origin const* origin_of(std::string_view key) const {
    for (;;) {
      if (auto const found = origins_.find(key); found != origins_.end()) return &found->second;
      std::size_t const end = key.find_last_of(".[");
      if (key.empty()) return nullptr;
      key = key.substr(0, end == std::string_view::npos ? 0 : end);
    }
  }

  std::string at(std::string_view key) const {
    Origin const* origin = origin_of(key);
    return origin == nullptr ? std::string() : fmt::format(" ({}:{})", origin->file, origin->line);
  }

  void add_reason(std::string_view key, std::string_view name, std::string const& path, int why) {
    add(key, because(fmt::format("`{}`: {}", name, in_quotes(printable(path, kLongestLine))), why));
  }

  // One of the two keys is the other, or is in it.
  static bool is_related(std::string_view a, std::string_view b) {
    if (a.size() > b.size()) std::swap(a, b);
    return b.starts_with(a) &&
           (a.empty() || a.size() == b.size() || b[a.size()] == '.' || b[a.size()] == '[');
  }

  // Something of `key`, or something that it is in, could not be read.
  bool is_unknown(std::string_view key) const {
    return std::ranges::any_of(broken_, [&](std::string const& other) { return is_related(key, other); });
  }

  // Says nothing if the key is unknown, or one of `also`, whose settings the sentence rests on too.
  void add(std::string_view key, std::string sentence, std::vector<std::string> const& also = {}) {
    if (is_unknown(key) || std::ranges::any_of(also, [&](auto const& k) { return is_unknown(k); })) return;
    Origin const* origin = origin_of(key);
    if (origin != nullptr) return problems_.push_back(problem_at(*origin, std::move(sentence)));
    problems_.push_back({{}, 0, 0, {}, std::move(sentence)});
  }

  Settings const& settings_;
  Origins const& origins_;
  Keys const& broken_;
  std::vector<Problem>& problems_;
};

}  // namespace

void check(Loaded& loaded) {
  if (loaded.broken.contains("")) return;
  Checker(loaded).run();
  std::vector<Problem>& all = loaded.problems;
  std::ranges::stable_sort(all, {}, [](Problem const& p) { return std::tie(p.file, p.line, p.column); });
  if (all.size() <= kMostProblems) return;
  Problem rest = left_out(all.size() - kMostProblems);
  all.resize(kMostProblems);
  all.push_back(std::move(rest));
}

Loaded load_and_check(std::string const& main_file) {
  Loaded loaded = load(main_file);
  check(loaded);
  return loaded;
}

}  // namespace conf
