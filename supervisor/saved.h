// All that a supervisor hands to the program that follows it in its place (upgrade.h): plain values and the numbers
// of descriptors, as one text. Each class says by save() what it is, and is made of that again by a constructor or
// adopt(); here is only what lies between. The text is our own, but perhaps that of another version: it is read
// strictly.
//
// Adding a field: count kFormat up. A text of an earlier format is read, and what it has not got keeps its default;
// one of a later format is refused, so a program can be replaced by an older one only if both have the same.
#pragma once
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "conf/settings.h"
#include "runtime/bytes.h"
#include "runtime/clock.h"
#include "runtime/fd.h"
#include "runtime/machine.h"
#include "runtime/result.h"
#include "supervisor/death_certificate.h"
#include "supervisor/privileges.h"
#include "supervisor/retire.h"
#include "supervisor/worker_table.h"
#include "upstream/orders.h"
#include "upstream/roster.h"

namespace supervisor::saved {

inline constexpr std::uint64_t kFormat = 7;
/// Some 4096 workers with the last lines of each are 80 MiB.
inline constexpr runtime::Bytes kMost = runtime::Bytes{256} << 20;

/// By its number, which stays the same. -1: none.
struct Descriptor {
  int number = -1;
};
/// Ours from now on, and close-on-exec again.
runtime::Fd take(Descriptor descriptor);

/// Settings as text, and what such a text leaves out.
struct Settings {
  std::string text;                    ///< conf::print
  std::vector<std::uint64_t> digests;  ///< env_file_digest of each app and then of its services, in their order
};

struct Child {
  pid_t pid = 0;
  Descriptor pidfd, failure;
  int sent = 0, asked = 0;
};

struct Stream {
  Descriptor fd;
  std::string partial;
  bool is_discarding = false;
};
struct Output {
  Stream out, err;
  std::deque<std::string> last_lines;
};

struct Socket {
  std::string path, folder;
  std::uint16_t port = 0;
};
struct Notify {
  Descriptor fd;
  std::string path;
};

struct StuckExchange {
  std::string id;
  runtime::Time since{};
};

struct Process {
  upstream::Worker about;
  bool has_row = false;
  std::optional<Socket> socket;
  std::optional<Notify> notify;
  std::optional<Output> output;
  std::optional<Child> child;
  Descriptor stacks;
  std::vector<StuckExchange> stuck;
  runtime::WallTime started{};
  runtime::Time begun{}, ready_since{};
  runtime::OomKills kills_before;
  retire::Limits limits;
  std::size_t looks_above = 0;
  runtime::Bytes first_held = 0;
  bool is_spent = false, was_ready = false, is_probed = false;
  std::string probe_cause;
};

struct Worker {
  std::uint32_t generation = 0;  ///< of its release
  State state = State::kIdle;
  std::optional<Process> process;
  std::string start_failure;
  bool has_timed_out = false, had_been_ready = false;
  std::size_t failures = 0;  ///< of its backoff
  DeathCertificate death;
  upstream::WorkerId asked_about = 0;
  std::size_t answers_due = 0;
  std::optional<runtime::Time> no_word;
  runtime::Time not_before{};
  std::optional<runtime::Time> deadline;
};

struct Place {
  std::uint32_t slot = 0;
  Worker holder;
  std::optional<Worker> extra;
  bool has_successor = false, is_leaving = false;
};

struct Variable {
  std::string name, value;
};
struct Zygote {
  Child child;
  Descriptor control;
};
/// Of a service: its settings are made of its app's.
struct ServiceRelease {
  std::string name;  ///< "shop.queue"
  std::uint32_t generation = 0;
  Account account;
  std::optional<std::vector<Variable>> file_environment;
};
struct Release {
  std::uint32_t generation = 0;
  Settings app;  ///< it alone
  Account account;
  std::optional<std::vector<Variable>> file_environment;
  std::optional<Zygote> zygote;
  std::vector<ServiceRelease> services;
};

/// A worker of somebody else that was unpublished and has not drained.
struct LeavingProxy {
  upstream::Worker about;
  runtime::Time until{};
};

struct Group {
  upstream::AppIndex index = 0;
  std::vector<Release> releases;  ///< all that are named by their generation
  std::uint32_t target = 0;
  std::optional<std::uint32_t> before;
  std::uint32_t last_generation = 0;
  std::size_t wanted = 0;
  bool is_pinned = false, has_chosen = false, is_asleep = false;
  std::uint64_t explained_in_share = 0;
  upstream::Gate gate = upstream::Gate::kOpen;
  std::string notice;
  std::optional<runtime::Time> paused_until;
  std::uint64_t late = 0, unspared = 0;
  runtime::Time spare_since{}, settled_since{};
  std::vector<Place> places;
  upstream::Roster proxies;
  std::vector<LeavingProxy> leaving_proxies;
  runtime::Time spent_until{};  ///< of its allowance
  std::size_t failures = 0;
  bool has_been_ready = false;
  std::string last_exit;
  std::string name;             ///< of a service, "shop.queue": its release is made of its app's; empty: an app
  std::vector<Group> services;
  std::vector<std::string> sources;  ///< folders that are watched
};

/// Of what one app printed last.
struct Line {
  runtime::WallTime time{};
  std::string worker, text;
};
struct Tail {
  std::string app;
  std::vector<Line> lines;
};

struct FrontProcess {
  Child child;
  Descriptor channel;
  std::size_t block = 0;  ///< of the scoreboard
  runtime::Time started_at{};
  std::uint64_t version = 0;
  std::vector<upstream::WorkerId> owed;
  std::vector<upstream::Unstuck> stuck;
  std::vector<upstream::Lost> unanswered;
  std::optional<runtime::Time> deadline;
  bool is_draining = false, is_cut = false;
  bool stands_in_folder = false;  ///< of the workers' sockets, which it knows by their names alone; one of before stands in "/"
};

/// Who was unpublished and has not drained.
struct Leaving {
  upstream::WorkerId worker = 0;
  upstream::AppIndex app = 0;
};
struct Front {
  FrontProcess current;
  std::vector<FrontProcess> draining;
  std::vector<std::string> known;  ///< orders, encoded
  std::vector<Leaving> leaving;
  runtime::Time spent_until{};  ///< of its allowance
};

/// Why an app does not go by the settings in force.
struct Behind {
  std::string app, why;
};
struct Reload {
  std::size_t unused = 0;  ///< indexes from here on no app has had
  std::vector<Behind> behind;
};

/// Shared with processes that live on: of another size or layout it is another version of it.
struct Board {
  Descriptor memory;
  std::uint64_t size = 0, layout = 0;
};

struct Listener {
  std::string text, asked;
  std::uint16_t port = 0;
  bool tls = false, shared = false, proxy_protocol = false, metrics = false, is_adopted = false;
  std::vector<Descriptor> sockets;
};
struct Listeners {
  std::vector<Listener> all;
  std::vector<std::string> paths;
};

struct Folder {
  std::string path;
  Descriptor lock;
};

struct Control {
  Descriptor listener;
  std::string path;
  std::optional<gid_t> group;
  Descriptor asker;  ///< who waits for the upgrade, if somebody does
};

/// The program that runs, should the next one not be able to go on; and where that one is looked for.
struct Program {
  Descriptor self;
  std::string path;
};

struct Supervisor {
  std::uint64_t format = kFormat;
  Program program;
  std::string version;
  Settings settings;
  bool is_run = false;
  Listeners listeners;
  Folder folder;
  Control control;
  Descriptor error_log, access_log, spool, python;
  Board fronts_board, herd_board;
  Front front;
  Account front_account;
  rlim_t descriptors = 0;  ///< the limit that workers get
  upstream::WorkerId last_id = 0;
  std::uint32_t rows = 0;  ///< from here on none was ever taken
  runtime::OomKills explained_kills;
  std::string cgroups;  ///< the root of their tree; empty: there is none
  std::vector<Group> groups;  ///< in the order of the settings
  Reload reload;
  std::vector<Tail> tails;
};

std::string write(const Supervisor& supervisor);
/// Errors: which field is not as it has to be; a later format.
runtime::Result<Supervisor> read(const std::string& text);
/// Errors: it does not fit together, or not to this version. Of descriptors nothing is known here.
runtime::Result<void> check(const Supervisor& supervisor);
/// The running program, of a text that may be of any format. Errors: not even that.
runtime::Result<Program> read_program(const std::string& text);

/// Every one of them that is there.
std::vector<int> descriptors_of(const Supervisor& supervisor);

/// Errors: the settings have words that a file cannot hold (bytes that are no UTF-8, too many arguments).
runtime::Result<Settings> from_settings(const conf::Settings& settings);
runtime::Result<conf::Settings> to_settings(const Settings& saved);
/// The same of one app, but for where its routes lead, and by which rules: only the settings in force know that.
runtime::Result<Settings> from_app(conf::App app);
runtime::Result<conf::App> to_app(const Settings& saved);

}  // namespace supervisor::saved
