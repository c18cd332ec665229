#include "conf/check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <tuple>

#include "conf/accounts.h"
#include "conf/certificates.h"
#include "conf/checker.h"
#include "conf/fault.h"
#include "conf/limits.h"
#include "conf/source.h"
#include "conf/words.h"

namespace conf {
namespace {

constexpr std::string_view kEveryHost = "*";

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

}  // namespace

std::string because(std::string sentence, int number) {
  return runtime::Error{runtime::Code::kConfig, std::move(sentence), number}.text();
}

int why_not(std::string const& path, int mode) {
  return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0 ? 0 : errno;
}

int why_no_folder(std::string const& path, int mode) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return errno;
  if (!S_ISDIR(about.st_mode)) return ENOTDIR;
  return why_not(path, mode);
}

void Checker::run() {
  check_listen();
  check_tls();
  check_control();
  check_account("front.user", settings_.front.user, "");
  check_spool();
  check_log("log.access.path", settings_.log.access.path);
  check_log("log.error.path", settings_.log.error.path);
  check_hosts();
  check_workers();
  check_number_of_services();
  for (App const& app : settings_.apps) check_app(app);
}

void Checker::check_listen() {
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

void Checker::check_address(std::string key, Address const& address, std::vector<Bound>& seen) {
  auto const other =
      std::ranges::find_if(seen, [&](Bound const& b) { return do_clash(b.address, address); });
  if (other != seen.end()) {
    add(key, fmt::format("`{}` cannot be bound beside `{}`{}", address.text, other->address.text,
                         at(other->key)));
  }
  check_socket_path(key, address.path);
  seen.push_back({address, std::move(key)});
}

void Checker::check_proxy_protocol() {
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

void Checker::check_tls() {
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

void Checker::check_control() {
  check_socket_path("control.socket", settings_.control.socket);
  check_account("control.group", "", settings_.control.group);
}

void Checker::check_socket_path(std::string_view key, std::string const& path) {
  if (path.size() <= kLongestSocketPath) return;
  add(key, fmt::format("a Unix socket's path has at most {} bytes; {} has {}", kLongestSocketPath,
                       in_quotes(printable(path, kLongestLine)), path.size()));
}

// An empty name asks nothing.
void Checker::check_account(std::string_view key, std::string const& user, std::string const& group) {
  if (!user.empty() && !is_user(user)) add(key, fmt::format("no user {} on this machine", in_quotes(user)));
  if (!group.empty() && !is_group(group))
    add(key, fmt::format("no group {} on this machine", in_quotes(group)));
}

void Checker::check_log(std::string_view key, std::string const& path) {
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

void Checker::check_hosts() {
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

void Checker::check_number_of_services() {
  std::size_t sum = 0;
  for (App const& app : settings_.apps) {
    sum += app.services.size();
    if (sum <= kMostServicesInAll) continue;
    return add(key_of(app, "services"), fmt::format("more than {} services, all apps together", kMostServicesInAll));
  }
}

void Checker::check_workers() {
  std::size_t sum = 0;
  for (App const& app : settings_.apps) {
    bool const is_proxy = app.kind() == AppKind::kProxy;
    sum += is_proxy ? app.proxy.size() : app.has_processes() ? app.workers.max : 0;
    if (sum <= kMostWorkers) continue;
    return add(key_of(app, is_proxy ? "proxy" : "workers"),
               fmt::format("more than {} workers, all apps together", kMostWorkers));
  }
}

// Whether there is room in it shows when it is needed: a full disk, or one that is only read, keeps nobody from starting.
void Checker::check_spool() {
  std::string const& folder = settings_.front.spool;
  if (int const why = why_no_folder(folder, X_OK)) {
    return add("front.spool", because(fmt::format("`spool` must be a folder that the front's user can write to: {}",
                                                  in_quotes(printable(folder, kLongestLine))), why));
  }
  check_front_enters("front.spool", "spool", folder);
}

void Checker::check_front_enters(std::string const& key, std::string_view name, std::string const& folder) {
  if (::geteuid() != 0) return;  // then the front is who we are
  std::string const user = front_user(settings_.front.user);
  std::optional<Identity> const front = identity_of(user);
  if (!front) return;  // said of `user`
  std::string const closed = closed_folder(folder, *front);
  if (closed.empty()) return;
  add(key, fmt::format("`{}`: the front's user `{}` cannot enter {}", name, user, in_quotes(printable(closed, kLongestLine))), {"front.user"});
}

std::string Checker::key_of(App const& app) { return fmt::format("apps.{}", app.name); }

std::string Checker::key_of(App const& app, std::string_view key) {
  return fmt::format("apps.{}.{}", app.name, key);
}

// Where `key` stands, else the nearest table or list around it that does, else the main file.
Origin const* Checker::origin_of(std::string_view key) const {
  for (;;) {
    if (auto const found = origins_.find(key); found != origins_.end()) return &found->second;
    std::size_t const end = key.find_last_of(".[");
    if (key.empty()) return nullptr;
    key = key.substr(0, end == std::string_view::npos ? 0 : end);
  }
}

std::string Checker::at(std::string_view key) const {
  Origin const* origin = origin_of(key);
  return origin == nullptr ? std::string() : fmt::format(" ({}:{})", origin->file, origin->line);
}

void Checker::add_reason(std::string_view key, std::string_view name, std::string const& path, int why) {
  add(key, because(fmt::format("`{}`: {}", name, in_quotes(printable(path, kLongestLine))), why));
}

// One of the two keys is the other, or is in it.
bool Checker::is_related(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return b.starts_with(a) &&
         (a.empty() || a.size() == b.size() || b[a.size()] == '.' || b[a.size()] == '[');
}

// Something of `key`, or something that it is in, could not be read.
bool Checker::is_unknown(std::string_view key) const {
  return std::ranges::any_of(broken_, [&](std::string const& other) { return is_related(key, other); });
}

// Says nothing if the key is unknown, or one of `also`, whose settings the sentence rests on too.
void Checker::add(std::string_view key, std::string sentence, std::vector<std::string> const& also) {
  if (is_unknown(key) || std::ranges::any_of(also, [&](auto const& k) { return is_unknown(k); })) return;
  Origin const* origin = origin_of(key);
  if (origin != nullptr) return problems_.push_back(problem_at(*origin, std::move(sentence)));
  problems_.push_back({{}, 0, 0, {}, std::move(sentence)});
}

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
