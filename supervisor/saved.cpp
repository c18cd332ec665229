#include "supervisor/saved.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>
#include <utility>

#include "conf/load.h"
#include "conf/print.h"
#include "upstream/herd_board.h"
#include "upstream/scoreboard.h"

namespace supervisor::saved {
namespace {

using Json = nlohmann::ordered_json;
using runtime::Code;
using runtime::fail;
using runtime::Result;

// ---- the fields: one list for both directions ----

template <class V>
void fields(V& v, Settings& settings) {
  v("text", settings.text);
  v("digests", settings.digests);
}

template <class V>
void fields(V& v, supervisor::Account& account) {
  v("name", account.name);
  v("home", account.home);
  v("uid", account.uid);
  v("gid", account.gid);
  v("groups", account.groups);
}

template <class V>
void fields(V& v, Child& child) {
  v("pid", child.pid);
  v("pidfd", child.pidfd);
  v("failure", child.failure);
  v("sent", child.sent);
}

template <class V>
void fields(V& v, Stream& stream) {
  v("fd", stream.fd);
  v("partial", stream.partial);
  v("is_discarding", stream.is_discarding);
}

template <class V>
void fields(V& v, Output& output) {
  v("out", output.out);
  v("err", output.err);
  v("last_lines", output.last_lines);
}

template <class V>
void fields(V& v, Socket& socket) {
  v("path", socket.path);
  v("folder", socket.folder);
  v("port", socket.port);
}

template <class V>
void fields(V& v, Notify& notify) {
  v("fd", notify.fd);
  v("path", notify.path);
}

template <class V>
void fields(V& v, StuckExchange& stuck) {
  v("id", stuck.id);
  v("since", stuck.since);
}

template <class V>
void fields(V& v, runtime::OomKills& kills) {
  v("in_cgroup", kills.in_cgroup);
  v("on_machine", kills.on_machine);
}

template <class V>
void fields(V& v, retire::Limits& limits) {
  v("requests", limits.requests);
  v("age", limits.age);
}

template <class V>
void fields(V& v, upstream::Worker& worker) {
  v("id", worker.id);
  v("app", worker.app);
  v("slot", worker.slot);
  v("pid", worker.pid);
  v("generation", worker.generation);
  v("row", worker.row);
  v("slots", worker.slots);
  v("speech", worker.speech);
  v("max_requests", worker.max_requests);
  v("socket", worker.socket);
}

template <class V>
void fields(V& v, Process& process) {
  v("about", process.about);
  v("has_row", process.has_row);
  v("socket", process.socket);
  v("notify", process.notify);
  v("output", process.output);
  v("child", process.child);
  v("stacks", process.stacks);
  v("stuck", process.stuck);
  v("started", process.started);
  v("begun", process.begun);
  v("ready_since", process.ready_since);
  v("kills_before", process.kills_before);
  v("limits", process.limits);
  v("looks_above", process.looks_above);
  v("is_spent", process.is_spent);
  v("was_ready", process.was_ready);
  v("is_probed", process.is_probed);
  v("probe_cause", process.probe_cause);
}

template <class V>
void fields(V& v, upstream::Lost& lost) {
  v("app", lost.app);
  v("worker", lost.worker);
  v("requests", lost.requests);
  v("ages", lost.ages);
}

template <class V>
void fields(V& v, DeathCertificate& death) {
  v("cause", death.cause);
  v("reason", death.reason);
  v("pid", death.pid);
  v("age", death.age);
  v("served", death.served);
  v("peak_memory", death.peak_memory);
  v("in_flight", death.in_flight);
  v("last_lines", death.last_lines);
}

template <class V>
void fields(V& v, Worker& worker) {
  v("generation", worker.generation);
  v("state", worker.state);
  v("process", worker.process);
  v("start_failure", worker.start_failure);
  v("has_timed_out", worker.has_timed_out);
  v("had_been_ready", worker.had_been_ready);
  v("failures", worker.failures);
  v("death", worker.death);
  v("asked_about", worker.asked_about);
  v("answers_due", worker.answers_due);
  v("no_word", worker.no_word);
  v("not_before", worker.not_before);
  v("deadline", worker.deadline);
}

template <class V>
void fields(V& v, Place& place) {
  v("slot", place.slot);
  v("holder", place.holder);
  v("extra", place.extra);
  v("has_successor", place.has_successor);
  v("is_leaving", place.is_leaving);
}

template <class V>
void fields(V& v, Variable& variable) {
  v("name", variable.name);
  v("value", variable.value);
}

template <class V>
void fields(V& v, Release& release) {
  v("generation", release.generation);
  v("app", release.app);
  v("account", release.account);
  v("file_environment", release.file_environment);
}

template <class V>
void fields(V& v, Group& group) {
  v("index", group.index);
  v("releases", group.releases);
  v("target", group.target);
  v("before", group.before);
  v("last_generation", group.last_generation);
  v("wanted", group.wanted);
  v("is_pinned", group.is_pinned);
  v("has_chosen", group.has_chosen);
  v("is_asleep", group.is_asleep);
  v("gate", group.gate);
  v("notice", group.notice);
  v("paused_until", group.paused_until);
  v("late", group.late);
  v("unspared", group.unspared);
  v("spare_since", group.spare_since);
  v("settled_since", group.settled_since);
  v("places", group.places);
  v("proxies", group.proxies);
  v("spent_until", group.spent_until);
  v("failures", group.failures);
  v("has_been_ready", group.has_been_ready);
  v("last_exit", group.last_exit);
  v("name", group.name);
  v("services", group.services);
}

template <class V>
void fields(V& v, Line& line) {
  v("time", line.time);
  v("worker", line.worker);
  v("text", line.text);
}

template <class V>
void fields(V& v, Tail& tail) {
  v("app", tail.app);
  v("lines", tail.lines);
}

template <class V>
void fields(V& v, upstream::Unstuck& unstuck) {
  v("app", unstuck.app);
  v("worker", unstuck.worker);
  v("exchange", unstuck.exchange);
}

template <class V>
void fields(V& v, FrontProcess& process) {
  v("child", process.child);
  v("channel", process.channel);
  v("block", process.block);
  v("started_at", process.started_at);
  v("version", process.version);
  v("owed", process.owed);
  v("stuck", process.stuck);
  v("deadline", process.deadline);
  v("is_draining", process.is_draining);
  v("is_cut", process.is_cut);
}

template <class V>
void fields(V& v, Leaving& leaving) {
  v("worker", leaving.worker);
  v("app", leaving.app);
}

template <class V>
void fields(V& v, Front& front) {
  v("current", front.current);
  v("draining", front.draining);
  v("known", front.known);
  v("leaving", front.leaving);
  v("spent_until", front.spent_until);
}

template <class V>
void fields(V& v, Board& board) {
  v("memory", board.memory);
  v("size", board.size);
}

template <class V>
void fields(V& v, Listener& listener) {
  v("text", listener.text);
  v("asked", listener.asked);
  v("port", listener.port);
  v("tls", listener.tls);
  v("shared", listener.shared);
  v("proxy_protocol", listener.proxy_protocol);
  v("metrics", listener.metrics);
  v("is_adopted", listener.is_adopted);
  v("sockets", listener.sockets);
}

template <class V>
void fields(V& v, Listeners& listeners) {
  v("all", listeners.all);
  v("paths", listeners.paths);
}

template <class V>
void fields(V& v, Folder& folder) {
  v("path", folder.path);
  v("lock", folder.lock);
}

template <class V>
void fields(V& v, Control& control) {
  v("listener", control.listener);
  v("path", control.path);
  v("group", control.group);
  v("asker", control.asker);
}

template <class V>
void fields(V& v, Program& program) {
  v("self", program.self);
  v("path", program.path);
}

// "format" and "program" are what every version finds at the same place.
template <class V>
void fields(V& v, Supervisor& supervisor) {
  v("format", supervisor.format);
  v("program", supervisor.program);
  v("version", supervisor.version);
  v("settings", supervisor.settings);
  v("is_run", supervisor.is_run);
  v("listeners", supervisor.listeners);
  v("folder", supervisor.folder);
  v("control", supervisor.control);
  v("error_log", supervisor.error_log);
  v("access_log", supervisor.access_log);
  v("spool", supervisor.spool);
  v("python", supervisor.python);
  v("fronts_board", supervisor.fronts_board);
  v("herd_board", supervisor.herd_board);
  v("front", supervisor.front);
  v("front_account", supervisor.front_account);
  v("descriptors", supervisor.descriptors);
  v("last_id", supervisor.last_id);
  v("rows", supervisor.rows);
  v("groups", supervisor.groups);
  v("tails", supervisor.tails);
}

// ---- what a field may be ----

template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<std::vector<T>> : std::true_type {};
template <class T>
struct IsList<std::deque<T>> : std::true_type {};
template <class T>
concept List = IsList<T>::value;

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
concept Optional = IsOptional<T>::value;

template <class T>
concept Duration = requires { typename T::rep; typename T::period; };
template <class T>
concept Moment = requires { typename T::clock; };
template <class T>
concept Enumeration = std::is_enum_v<T>;

constexpr std::size_t count_of(State) {
  return kStates;
}
constexpr std::size_t count_of(upstream::ExitReason) {
  return upstream::kExitReasons.size();
}
constexpr std::size_t count_of(upstream::Gate) {
  return upstream::kGates.size();
}
constexpr std::size_t count_of(upstream::Speech) {
  return 2;
}

// Paths and what apps print need not be UTF-8, which JSON must be: each byte is the character of its number.
std::string to_characters(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    const auto number = static_cast<unsigned char>(byte);
    if (number < 0x80) {
      text += byte;
    } else {
      text += static_cast<char>(0xc0 | number >> 6);
      text += static_cast<char>(0x80 | (number & 0x3f));
    }
  }
  return text;
}

// Nothing: a character that is no byte.
std::optional<std::string> to_bytes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      bytes += text[i];
    } else if (first <= 0xc3 && i + 1 < text.size()) {
      bytes += static_cast<char>((first & 0x03) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

// ---- out ----

class Writer {
 public:
  template <class T>
  void operator()(const char* key, T& value) {
    json_[key] = written(value);
  }
  Json take() { return std::move(json_); }

 private:
  template <class T>
  static Json written(T& value) {
    if constexpr (std::same_as<T, std::string>) {
      return to_characters(value);
    } else if constexpr (std::same_as<T, Descriptor>) {
      return value.number;
    } else if constexpr (Enumeration<T>) {
      return static_cast<std::uint64_t>(value);
    } else if constexpr (std::is_arithmetic_v<T>) {
      return value;
    } else if constexpr (Moment<T>) {
      return value.time_since_epoch().count();
    } else if constexpr (Duration<T>) {
      return value.count();
    } else if constexpr (Optional<T>) {
      return value ? written(*value) : Json();
    } else if constexpr (List<T>) {
      Json list = Json::array();
      for (auto& item : value) list.push_back(written(item));
      return list;
    } else {
      Writer inner;
      fields(inner, value);
      return inner.take();
    }
  }

  Json json_ = Json::object();
};

// ---- in ----

// Notes the first thing that is not as it has to be, and where.
class Reader {
 public:
  Reader(const Json& json, std::string where, bool is_older, std::string& fault)
      : json_(json), where_(std::move(where)), is_older_(is_older), fault_(fault) {
    if (!json.is_object()) refuse(where_, "no object");
  }

  template <class T>
  void operator()(const char* key, T& value) {
    if (!fault_.empty()) return;
    const std::string place = where_.empty() ? key : fmt::format("{}.{}", where_, key);
    const auto found = json_.find(key);
    if (found != json_.end()) return read(*found, place, value);
    if (!is_older_) refuse(place, "missing");
  }

 private:
  void refuse(const std::string& place, std::string_view what) {
    if (fault_.empty()) fault_ = fmt::format("{} is {}", place, what);
  }

  template <class T>
  void read(const Json& json, const std::string& place, T& value) {
    if constexpr (std::same_as<T, std::string>) {
      read_text(json, place, value);
    } else if constexpr (std::same_as<T, Descriptor>) {
      read_number(json, place, value.number);
    } else if constexpr (std::same_as<T, bool>) {
      json.is_boolean() ? void(value = json.template get<bool>()) : refuse(place, "neither true nor false");
    } else if constexpr (Enumeration<T>) {
      std::uint8_t number = 0;
      read_number(json, place, number);
      number < count_of(T{}) ? void(value = static_cast<T>(number)) : refuse(place, "out of bounds");
    } else if constexpr (std::integral<T>) {
      read_number(json, place, value);
    } else if constexpr (Moment<T>) {
      typename T::duration since{};
      read(json, place, since);
      value = T(since);
    } else if constexpr (Duration<T>) {
      typename T::rep number = 0;
      read_number(json, place, number);
      value = T(number);
    } else if constexpr (Optional<T>) {
      if (!json.is_null()) read(json, place, value.emplace());
    } else if constexpr (List<T>) {
      read_list(json, place, value);
    } else {
      Reader inner(json, place, is_older_, fault_);
      if (fault_.empty()) fields(inner, value);
    }
  }

  void read_text(const Json& json, const std::string& place, std::string& value) {
    if (!json.is_string()) return refuse(place, "no text");
    auto bytes = to_bytes(json.get_ref<const std::string&>());
    bytes ? void(value = std::move(*bytes)) : refuse(place, "not of bytes");
  }

  template <class T>
  void read_number(const Json& json, const std::string& place, T& value) {
    if (json.is_number_unsigned() && std::in_range<T>(json.get<std::uint64_t>())) {
      value = static_cast<T>(json.get<std::uint64_t>());
    } else if (json.is_number_integer() && !json.is_number_unsigned() && std::in_range<T>(json.get<std::int64_t>())) {
      value = static_cast<T>(json.get<std::int64_t>());
    } else {
      refuse(place, "no number that fits");
    }
  }

  template <class T>
  void read_list(const Json& json, const std::string& place, T& value) {
    if (!json.is_array()) return refuse(place, "no list");
    for (const Json& item : json) {
      if (!fault_.empty()) return;
      const std::string where = fmt::format("{}[{}]", place, value.size());
      read(item, where, value.emplace_back());
    }
  }

  const Json& json_;
  const std::string where_;
  const bool is_older_;
  std::string& fault_;
};

// ---- all descriptors ----

class Lister {
 public:
  template <class T>
  void operator()(const char*, T& value) {
    list(value);
  }
  std::vector<int> take() { return std::move(numbers_); }

 private:
  template <class T>
  void list(T& value) {
    if constexpr (std::same_as<T, Descriptor>) {
      if (value.number >= 0) numbers_.push_back(value.number);
    } else if constexpr (Optional<T>) {
      if (value) list(*value);
    } else if constexpr (List<T>) {
      for (auto& item : value) list(item);
    } else if constexpr (std::is_class_v<T> && !std::same_as<T, std::string> && !Moment<T> && !Duration<T>) {
      fields(*this, value);
    }
  }

  std::vector<int> numbers_;
};

template <class T>
Result<T> read_from(const Json& json, std::string where, bool is_older) {
  T value;
  std::string fault;
  Reader reader(json, std::move(where), is_older, fault);
  if (fault.empty()) fields(reader, value);
  if (!fault.empty()) return fail(Code::kProtocol, "what was handed on cannot be read: " + fault);
  return value;
}

Result<Json> parse(const std::string& text) {
  if (text.size() > kMost) return fail(Code::kProtocol, "what was handed on is too large");
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return fail(Code::kProtocol, "what was handed on is no JSON");
  return json;
}

// ---- what fits together ----

Result<void> refuse(std::string_view what) {
  return fail(Code::kProtocol, fmt::format("what was handed on does not fit together: {}", what));
}

Result<void> check_front(const Front& front) {
  std::set<std::size_t> blocks;
  const auto is_sound = [&](const FrontProcess& process) {
    return process.child.pid > 0 && process.block < upstream::kMaxFronts && blocks.insert(process.block).second;
  };
  if (!is_sound(front.current) || !std::ranges::all_of(front.draining, is_sound)) return refuse("the fronts");
  for (const std::string& order : front.known) TRY_VOID(upstream::decode(order));
  return {};
}

bool is_sound(const Worker& worker, const Group& group, std::uint32_t rows) {
  if (std::ranges::find(group.releases, worker.generation, &Release::generation) == group.releases.end()) return false;
  const bool needs_process = worker.state != State::kIdle && worker.state != State::kBackoff && worker.state != State::kFailed;
  if (worker.process.has_value() != needs_process) return false;
  return !worker.process || !worker.process->has_row || worker.process->about.row < rows;
}

Result<void> check_group(const Group& group, std::uint32_t rows) {
  if (group.name.empty()) {
    for (const Release& release : group.releases) TRY_VOID(to_app(release.app));
  }
  const auto has = [&](std::uint32_t generation) {
    return std::ranges::find(group.releases, generation, &Release::generation) != group.releases.end();
  };
  if (group.index >= upstream::kMaxApps || !has(group.target) || (group.before && !has(*group.before)))
    return refuse(fmt::format("the generations of app {}", group.index));
  for (const Place& place : group.places) {
    if (!is_sound(place.holder, group, rows) || (place.extra && !is_sound(*place.extra, group, rows)))
      return refuse(fmt::format("app {}, worker {}", group.index, place.slot));
  }
  for (const upstream::Worker& proxy : group.proxies) {
    if (proxy.row >= rows) return refuse(fmt::format("app {}, worker {}", group.index, proxy.slot));
  }
  for (const Group& service : group.services) {
    if (service.name.empty() || !service.services.empty()) return refuse(fmt::format("app {}, its services", group.index));
    TRY_VOID(check_group(service, rows));
  }
  return {};
}

// ---- settings ----

template <class F>
void for_each_digest(conf::Settings& settings, F each) {
  for (conf::App& app : settings.apps) {
    each(app.env_file_digest);
    for (conf::Service& service : app.services) each(service.env_file_digest);
  }
}

}  // namespace

runtime::Fd take(Descriptor descriptor) {
  if (descriptor.number >= 0) ::fcntl(descriptor.number, F_SETFD, FD_CLOEXEC);
  return runtime::Fd(descriptor.number);
}

std::string write(const Supervisor& supervisor) {
  Supervisor copy = supervisor;  // the fields are visited for reading, too
  Writer writer;
  fields(writer, copy);
  return writer.take().dump();
}

Result<Supervisor> read(const std::string& text) {
  TRY(const Json json, parse(text));
  const auto format = json.find("format");
  if (format == json.end() || !format->is_number_unsigned())
    return fail(Code::kProtocol, "what was handed on does not say of which format it is");
  if (format->get<std::uint64_t>() > kFormat) {
    return fail(Code::kProtocol, fmt::format("what was handed on is of format {}, and this version knows {} at most",
                                             format->get<std::uint64_t>(), kFormat));
  }
  return read_from<Supervisor>(json, "", format->get<std::uint64_t>() < kFormat);
}

Result<Program> read_program(const std::string& text) {
  TRY(const Json json, parse(text));
  return read_from<Program>(json.value("program", Json()), "program", /*is_older=*/false);
}

Result<void> check(const Supervisor& supervisor) {
  if (supervisor.fronts_board.size != sizeof(upstream::Blocks) || supervisor.herd_board.size != sizeof(upstream::HerdFigures))
    return fail(Code::kProtocol, "the scoreboards are of another version: only a restart changes that");
  TRY(const conf::Settings settings, to_settings(supervisor.settings));
  if (settings.apps.size() != supervisor.groups.size() || supervisor.rows > upstream::kMaxWorkers)
    return refuse("the apps");
  TRY_VOID(check_front(supervisor.front));
  for (const Group& group : supervisor.groups) TRY_VOID(check_group(group, supervisor.rows));
  return {};
}

std::vector<int> descriptors_of(const Supervisor& supervisor) {
  Supervisor copy = supervisor;
  Lister lister;
  fields(lister, copy);
  return lister.take();
}

Result<Settings> from_settings(const conf::Settings& settings) {
  Settings saved{.text = conf::print(settings)};
  conf::Settings copy = settings;
  for_each_digest(copy, [&](std::uint64_t& digest) { saved.digests.push_back(digest); });
  const auto again = to_settings(saved);
  if (again && *again == settings) return saved;
  return fail(Code::kSystem, "the settings have words that no file could have (bytes that are no UTF-8, or too many "
                             "arguments), so they cannot be handed on; restart it instead");
}

Result<conf::Settings> to_settings(const Settings& saved) {
  conf::Loaded loaded = conf::load_text(saved.text, "the settings that were handed on");
  if (!loaded.problems.empty()) return fail(Code::kConfig, conf::text(loaded.problems.front()));
  std::size_t next = 0;
  for_each_digest(loaded.settings, [&](std::uint64_t& digest) {
    if (next < saved.digests.size()) digest = saved.digests[next];
    ++next;
  });
  if (next == saved.digests.size()) return std::move(loaded.settings);
  return fail(Code::kProtocol, "the settings that were handed on have not the apps that they should have");
}

Result<Settings> from_app(conf::App app) {
  for (conf::Route& route : app.routes) route.to.reset();
  conf::Settings alone;
  alone.apps.push_back(std::move(app));
  return from_settings(alone);
}

Result<conf::App> to_app(const Settings& saved) {
  TRY(conf::Settings alone, to_settings(saved));
  if (alone.apps.size() != 1) return fail(Code::kProtocol, "what was handed on is not the one app that it should be");
  return std::move(alone.apps.front());
}

}  // namespace supervisor::saved
