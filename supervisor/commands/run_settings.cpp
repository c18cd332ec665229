#include "supervisor/commands/run_settings.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "conf/check.h"
#include "conf/limits.h"
#include "conf/source.h"
#include "runtime/text.h"

namespace supervisor {
namespace {

using conf::Address;
using runtime::Code;
using runtime::fail;
using runtime::Result;

constexpr std::string_view kWhatToGive =
    "say what to run: `portherd run module:attr`, `portherd run -- command ...`, or `portherd run FOLDER` "
    "with a "
    "portherd.toml in it";
constexpr std::string_view kDefaultBind = "127.0.0.1:8000";

bool is_folder(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

bool is_file(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode);
}

// Where there is a colon, also as gunicorn knows it: ":8000", "localhost:8000".
Result<Address> address_of(std::string_view option, std::string_view text, const std::string& here) {
  auto address = conf::parse_address(text.find(':') == std::string_view::npos ? std::string(text) : gunicorn::address_of(text));
  if (!address) return fail(Code::kConfig, fmt::format("{} {}: {}", option, text, address.error().sentence));
  if (address->kind == Address::Kind::kUnix)
    return conf::parse_address("unix:" + conf::absolute(here, address->path));
  return address;
}

// The next port, or any free one where any was asked for.
Result<Address> next_port(const Address& http) {
  if (http.kind == Address::Kind::kUnix)
    return fail(Code::kConfig, "--tls needs --tls-bind where --bind is a Unix socket");
  if (http.port == 65535) return fail(Code::kConfig, "--tls needs --tls-bind: there is no port after 65535");
  const int port = http.port == 0 ? 0 : http.port + 1;
  const bool is_v6 = http.host.find(':') != std::string::npos;
  return conf::parse_address(is_v6 ? fmt::format("[{}]:{}", http.host, port)
                                   : fmt::format("{}:{}", http.host, port));
}

// As uvicorn's: each has its default.
std::string place_of(const RunArguments& arguments, const RunEnvironment& environment) {
  const std::string host = arguments.host.empty() ? "127.0.0.1" : arguments.host;
  const std::string port = !arguments.port.empty() ? arguments.port : !environment.port.empty() ? environment.port : "8000";
  return gunicorn::address_of(host.find(':') == std::string::npos ? host + ":" + port : "[" + host + "]:" + port);
}

Result<void> set_addresses(const RunArguments& arguments, const RunEnvironment& environment,
                           const std::string& here, conf::Listen& listen) {
  std::vector<std::string> bind = arguments.bind;
  const bool has_place = !arguments.host.empty() || !arguments.port.empty();
  if (has_place && !bind.empty()) return fail(Code::kConfig, "either --bind, or --host and --port");
  if (has_place) bind.push_back(place_of(arguments, environment));
  const bool has_own = !listen.http.empty() || !listen.https.empty();
  if (bind.empty() && !environment.port.empty()) bind.push_back("*:" + environment.port);
  if (bind.empty() && !has_own) bind.emplace_back(kDefaultBind);
  if (!bind.empty()) listen = {};
  for (const std::string& text : bind) {
    const std::string_view option = has_place ? "--host, --port" : arguments.bind.empty() ? "PORT" : "--bind";
    TRY(Address address, address_of(option, text, here));
    listen.http.push_back(std::move(address));
  }
  for (const std::string& text : arguments.tls_bind) {
    TRY(Address address, address_of("--tls-bind", text, here));
    listen.https.push_back(std::move(address));
  }
  if (!arguments.tls || !listen.https.empty()) return {};
  if (listen.http.empty()) return fail(Code::kConfig, "--tls needs --tls-bind here");
  TRY(Address next, next_port(listen.http.front()));
  listen.https.push_back(std::move(next));
  return {};
}

// The file's https listeners, which made a redirect the default, may have given way to --bind or PORT.
void serve_where_no_https_is_left(conf::Loaded& loaded) {
  if (!loaded.settings.listen.https.empty()) return;
  for (conf::App& app : loaded.settings.apps) {
    const bool is_said = loaded.origins.contains(fmt::format("apps.{}.plain_http", app.name));
    if (!is_said) app.plain_http = conf::PlainHttp::kServe;
  }
}

// Nothing: nobody said how many.
Result<std::optional<conf::Workers>> workers_of(const RunArguments& arguments, const RunEnvironment& environment) {
  const std::string& text = arguments.workers.empty() ? environment.web_concurrency : arguments.workers;
  if (text.empty()) return std::nullopt;
  if (text == "auto") return conf::Workers::automatic();
  const auto number = runtime::parse_number(text);
  if (number && *number > 0 && *number <= conf::kMostWorkersOfApp) return conf::Workers::fixed(*number);
  return fail(Code::kConfig, fmt::format("{} must be \"auto\" or a number from 1 to {}, not `{}`",
                                         arguments.workers.empty() ? "WEB_CONCURRENCY" : "--workers",
                                         conf::kMostWorkersOfApp, text));
}

Result<conf::Loaded> load_folder(const std::string& folder) {
  const std::string file = folder + "/portherd.toml";
  if (!is_file(file))
    return fail(Code::kConfig, fmt::format("{} has no portherd.toml; {}", folder, kWhatToGive));
  conf::Loaded loaded = conf::load(file);
  const auto access = loaded.origins.lower_bound("log.access");
  const bool is_said = access != loaded.origins.end() && access->first.starts_with("log.access");
  if (!is_said) loaded.settings.log.access = {.format = conf::AccessFormat::kCombined};
  return loaded;
}

conf::Loaded made_in_code(const RunArguments& arguments, const std::string& here) {
  conf::App app;
  app.name = app_name(arguments.command.empty() ? arguments.target : arguments.command.front());
  app.directory = here;
  app.command = arguments.command;
  if (arguments.command.empty()) app.wsgi = arguments.target + (arguments.is_factory && !arguments.target.ends_with("()") ? "()" : "");
  conf::Loaded made;
  made.settings.log.access.format = conf::AccessFormat::kCombined;
  made.settings.apps.push_back(std::move(app));
  return made;
}

conf::Loaded made_of(const conf::App& found) {
  conf::Loaded made;
  made.settings.log.access.format = conf::AccessFormat::kCombined;
  made.settings.apps.push_back(found);
  return made;
}

// What gunicorn's and uvicorn's users say; it holds for each app.
Result<void> apply_gunicorn(const RunArguments& arguments, const RunEnvironment& environment, conf::Settings& settings) {
  std::vector<gunicorn::Setting> all = arguments.gunicorn;
  const bool is_said = std::ranges::find(all, "forwarded_allow_ips", &gunicorn::Setting::name) != all.end();
  if (!is_said && settings.front.trusted_proxies.empty()) all.push_back({"forwarded_allow_ips", {environment.forwarded_allow_ips}});
  bool is_first = true;
  for (conf::App& app : settings.apps) {
    conf::Settings others;  // what is of the whole is taken once
    gunicorn::Draft draft{.settings = is_first ? settings : others, .app = app, .has_threads = arguments.threads.has_value()};
    for (const gunicorn::Setting& setting : all) TRY_VOID(gunicorn::apply(setting, draft));
    TRY_VOID(gunicorn::finish(draft));
    if (const auto certificates = draft.notes.find("tls.certificates"); certificates != draft.notes.end())
      return fail(Code::kConfig, fmt::format("--certfile, --keyfile: what is needed is {}", certificates->second));
    if (!draft.left_out.empty()) return fail(Code::kConfig, draft.left_out.front());
    is_first = false;
  }
  return {};
}

Result<conf::Loaded> first_settings(const RunArguments& arguments, const std::string& here, const std::optional<conf::App>& found) {
  if (found) return made_of(*found);
  const std::string& target = arguments.target;
  if (!arguments.command.empty()) {
    if (!target.empty())
      return fail(Code::kConfig, fmt::format("either `{}` or a command after `--`, not both", target));
    return made_in_code(arguments, here);
  }
  if (target.empty())
    return is_file(here + "/portherd.toml") ? load_folder(here)
                                            : fail(Code::kConfig, std::string(kWhatToGive));
  if (is_folder(conf::absolute(here, target))) return load_folder(conf::absolute(here, target));
  if (target.find(':') != std::string::npos) return made_in_code(arguments, here);
  const std::string_view module = std::string_view(target).substr(0, target.ends_with(".py") ? target.size() - 3 : target.size());
  if (is_file(conf::absolute(here, fmt::format("{}.py", module))))
    return fail(Code::kConfig, fmt::format("`{}` names no app; did you mean `portherd run {}:app`, after the name that the app has there?", target, module));
  return fail(Code::kConfig, fmt::format("`{}` is no folder and no module:attr; {}", target, kWhatToGive));
}

// Those that the command line said stand against the folder that it was said in.
void make_absolute(const std::string& here, conf::Settings& settings) {
  for (std::string* path : {&settings.log.access.path, &settings.tls.certificates}) {
    if (!path->empty()) *path = conf::absolute(here, *path);
  }
}

}  // namespace

std::string folder_of_run(const RunArguments& arguments, const std::string& here) {
  if (!arguments.command.empty()) return "";
  if (arguments.target.empty()) return here;
  const std::string folder = conf::absolute(here, arguments.target);
  return is_folder(folder) ? folder : "";
}

std::string file_of_run(const RunArguments& arguments, const std::string& here) {
  const std::string folder = folder_of_run(arguments, here);
  return !folder.empty() && is_file(folder + "/portherd.toml") ? folder + "/portherd.toml" : "";
}

std::string app_name(std::string_view target) {
  target = target.substr(0, target.find(':'));
  target = target.substr(target.rfind('/') + 1);
  target = target.substr(0, target.find('.'));
  std::string name;
  for (const char c : target) {
    const bool is_letter_or_digit =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    // An app's name begins with one of these (conf::is_app_name): the front reads it out of a file again.
    if (is_letter_or_digit || (!name.empty() && (c == '-' || c == '_'))) name += c;
  }
  return name.empty() ? "app" : name.substr(0, 32);
}

Result<conf::Loaded> run_settings(const RunArguments& arguments, const RunEnvironment& environment,
                                  const std::string& here, const std::string& certificates,
                                  const std::optional<conf::App>& found) {
  TRY(conf::Loaded loaded, first_settings(arguments, here, found));
  TRY_VOID(set_addresses(arguments, environment, here, loaded.settings.listen));
  serve_where_no_https_is_left(loaded);
  TRY(const std::optional<conf::Workers> workers, workers_of(arguments, environment));
  for (conf::App& app : loaded.settings.apps) {
    if (workers) app.workers = *workers;
    if (arguments.threads) app.threads = *arguments.threads;
    if (arguments.threads && app.kind() == conf::AppKind::kWsgi) app.concurrency = *arguments.threads;
    if (arguments.concurrency) app.concurrency = *arguments.concurrency;
    if (!arguments.python.empty()) app.python = arguments.python;
    if (arguments.reload) app.reload = app.has_processes();
    if (arguments.preload) app.preload = true;
    if (!arguments.env_file.empty()) app.env_file = conf::absolute(here, arguments.env_file);
  }
  TRY_VOID(apply_gunicorn(arguments, environment, loaded.settings));
  make_absolute(here, loaded.settings);
  if (!arguments.has_access_log) loaded.settings.log.access.is_on = false;
  if (!loaded.settings.listen.https.empty() && arguments.tls) loaded.settings.tls.certificates = certificates;
  conf::settle(loaded.settings);
  conf::check(loaded);
  return loaded;
}

}  // namespace supervisor
