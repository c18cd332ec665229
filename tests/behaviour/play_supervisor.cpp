// The Supervisor actor: the real binary, what it says, and how it ends.
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "play.h"
#include "play_process.h"

namespace play {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

std::string replaced(std::string text, const std::string& name, const std::string& value) {
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size()) {
    text.replace(at, name.size(), value);
  }
  return text;
}

std::string filled(std::string_view text, const Folder& folder, std::uint16_t port) {
  std::string out(text);
  out = replaced(out, "$PORT", std::to_string(port));
  out = replaced(out, "$TLS", std::to_string(port + 1));
  out = replaced(out, "$PYTHON", python());
  out = replaced(out, "$APPS", source("tests/apps"));
  return replaced(out, "$FOLDER", folder.path());
}

template <class T>
T value_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  REQUIRE_MESSAGE(found != json.end(), "status --json has no " << key << ": " << json.dump());
  if constexpr (std::is_same_v<T, std::string>) {
    if (!found->is_string()) return found->is_null() ? "" : found->dump();
  }
  if (found->is_null()) return T{};
  return found->get<T>();
}

Status::Worker to_worker(const Json& json) {
  return {.slot = value_of<int>(json, "slot"),
          .pid = value_of<pid_t>(json, "pid"),
          .state = value_of<std::string>(json, "state"),
          .generation = value_of<int>(json, "generation"),
          .busy = value_of<int>(json, "busy"),
          .served = value_of<std::uint64_t>(json, "served"),
          .memory = value_of<std::uint64_t>(json, "memory"),
          .last_exit = value_of<std::string>(json, "last_exit")};
}

Status::App to_app(const Json& json) {
  Status::App app{.name = value_of<std::string>(json, "name"),
                  .state = value_of<std::string>(json, "state"),
                  .queue = value_of<int>(json, "queue"),
                  .slots = value_of<int>(json, "slots"),
                  .busy = value_of<int>(json, "busy"),
                  .served = value_of<std::uint64_t>(json, "served"),
                  .failed = value_of<std::uint64_t>(json, "failed"),
                  .workers = {}};
  for (const Json& worker : json.at("workers")) app.workers.push_back(to_worker(worker));
  return app;
}

Status to_status(const Ended& ended) {
  Status status;
  status.exit_status = ended.status;
  status.text = ended.out;
  const Json json = Json::parse(ended.out, nullptr, false);
  if (!json.is_object()) return status;
  status.version = value_of<std::string>(json, "version");
  status.supervisor = value_of<pid_t>(json.at("supervisor"), "pid");
  status.front = value_of<pid_t>(json.at("front"), "pid");
  for (const Json& app : json.at("apps")) status.apps.push_back(to_app(app));
  return status;
}

std::uint64_t kilobytes(pid_t pid, const std::string& what) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(what + ":")) return std::stoull(line.substr(what.size() + 1));
  }
  FAIL("process " << pid << " has no " << what);
  return 0;
}

}  // namespace

std::vector<pid_t> Status::App::ready() const {
  std::vector<pid_t> out;
  for (const Worker& worker : workers) {
    if (worker.state == "ready") out.push_back(worker.pid);
  }
  return out;
}

const Status::App& Status::app(std::string_view name) const {
  for (const App& app : apps) {
    if (app.name == name) return app;
  }
  FAIL("no app " << name << " in " << text);
  return apps.front();
}

bool Status::all_ready() const {
  return !apps.empty() && std::all_of(apps.begin(), apps.end(), [](const App& app) {
    return !app.workers.empty() && app.ready().size() == app.workers.size();
  });
}

struct Supervisor::Lines {
  Pipe pipe;
  mutable std::mutex mutex;
  std::condition_variable more;
  std::string text;
  bool is_ended = false;  // nobody holds the other end any more
  std::thread reader;

  void gather() {
    pollfd readable{pipe.reading.get(), POLLIN, 0};
    while (!is_ended) {
      ::poll(&readable, 1, -1);
      const std::lock_guard lock(mutex);
      is_ended = (readable.revents & POLLIN) == 0;
      take();
    }
  }

  /// With the mutex: what is in the pipe by now, so that whoever has been told of a change knows what was said before it.
  void take() {
    for (int size = 0; ::ioctl(pipe.reading.get(), FIONREAD, &size) == 0 && size > 0;) {
      const std::size_t known = text.size();
      text.resize(known + static_cast<std::size_t>(size));
      const ssize_t count = ::read(pipe.reading.get(), text.data() + known, static_cast<std::size_t>(size));
      text.resize(known + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    more.notify_all();
  }
};

Supervisor Supervisor::serve(const Folder& folder, std::string_view config, const Environment& more) {
  const std::uint16_t port = free_port();
  folder.write("portherd.toml", filled(config, folder, port));
  return Supervisor(folder, {"serve", "-c", folder / "portherd.toml"}, more, port);
}

Supervisor Supervisor::run(const Folder& folder, const Arguments& arguments, const Environment& more) {
  const std::uint16_t port = free_port();
  Arguments all = {"run"};
  for (const std::string& argument : arguments) all.push_back(filled(argument, folder, port));
  return Supervisor(folder, all, more, port);
}

Supervisor::Supervisor(const Folder& folder, const Arguments& arguments, const Environment& more,
                       std::uint16_t port)
    : directory_(folder.path()),
      port_(port),
      is_run_(arguments[0] == "run"),
      lines_(std::make_unique<Lines>()) {
  // A test that replaces the program has a copy of its own.
  const std::string own = folder / "portherd";
  Arguments all = {std::filesystem::exists(own) ? own : path_of_portherd()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  pid_ = start(all, directory_, more, lines_->pipe.writing.get(), lines_->pipe.writing.get());
  lines_->pipe.writing.reset();
  lines_->reader = std::thread([lines = lines_.get()] { lines->gather(); });
  // Ours: before it has said where it is, `status` takes another test's that is the only one.
  wait_until("the front runs", [this](const Status& status) { return status.front > 0 && status.supervisor == pid_; });
}

Supervisor::~Supervisor() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    CHECK_MESSAGE(wait_exit() == 0, said());
  }
  lines_->reader.join();
  if (std::uncaught_exceptions() > 0 || std::getenv("PORTHERD_TEST_VERBOSE") != nullptr)
    MESSAGE("portherd said:\n" << said());
}

std::string Supervisor::config_file() const {
  return directory_ + "/portherd.toml";
}

Status Supervisor::status() {
  Arguments arguments = {"status", "--json"};
  if (!is_run_) arguments.insert(arguments.end(), {"-c", config_file()});
  return to_status(portherd(arguments, directory_));
}

void Supervisor::require_running() {
  if (pid_ > 0 && has_ended()) FAIL("portherd ended with status " << exit_status_ << ":\n" << said());
}

bool Supervisor::has_ended() {
  if (!play::has_ended(pid_, exit_status_)) return false;
  pid_ = -1;
  return true;
}

// It is asked again when it has said something, or after a moment: not every change is worth a line to it.
Status Supervisor::wait_until(const char* what, const std::function<bool(const Status&)>& it_is_so) {
  const auto deadline = Clock::now() + kPatience;
  while (true) {
    require_running();
    std::size_t heard = said().size();
    Status status = this->status();
    if (it_is_so(status)) return status;
    REQUIRE_MESSAGE(Clock::now() < deadline, "never: " << what << "; the last status:\n"
                                                       << status.text << "\n"
                                                       << said());
    std::unique_lock lock(lines_->mutex);
    lines_->more.wait_for(lock, milliseconds(20),
                          [&] { return lines_->text.size() != heard || lines_->is_ended; });
  }
}

Status Supervisor::wait_ready() {
  return wait_until("every worker is ready", [](const Status& status) { return status.all_ready(); });
}

std::string Supervisor::expect_line(std::string_view text) {
  std::unique_lock lock(lines_->mutex);
  std::string& all = lines_->text;
  std::size_t found = 0, end = 0;
  lines_->more.wait_for(lock, kPatience, [&] {
    found = all.find(text);
    end = found == std::string::npos ? found : all.find('\n', found);
    return end != std::string::npos || lines_->is_ended;
  });
  REQUIRE_MESSAGE(end != std::string::npos, "it never said '" << text << "', but:\n" << all);
  const std::size_t begin = all.rfind('\n', found) + 1;
  return all.substr(begin, end - begin);
}

std::vector<std::string> Supervisor::lines_with(std::string_view text) const {
  const std::string all = said();
  std::vector<std::string> out;
  for (std::size_t begin = 0, end = 0; (end = all.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = all.substr(begin, end - begin);
    if (line.find(text) != std::string::npos) out.push_back(line);
  }
  return out;
}

std::string Supervisor::said() const {
  const std::lock_guard lock(lines_->mutex);
  lines_->take();
  return lines_->text;
}

void Supervisor::signal(int number) {
  require_running();
  REQUIRE(pid_ > 0);
  ::kill(pid_, number);
}

int Supervisor::wait_exit() {
  if (pid_ <= 0) return exit_status_;
  const bool has_left = ends(pid_);
  CHECK_MESSAGE(has_left, "portherd does not end:\n" << said());
  if (!has_left) ::kill(pid_, SIGKILL);
  exit_status_ = wait_for(std::exchange(pid_, -1));
  if (!may_leave_) check_nobody_left("portherd");
  return exit_status_;
}

int Supervisor::stop() {
  signal(SIGTERM);
  return wait_exit();
}

std::uint64_t memory_of(pid_t pid) {
  return kilobytes(pid, "RssAnon") * 1024;
}
std::uint64_t peak_of(pid_t pid) {
  return kilobytes(pid, "VmHWM") * 1024;
}

}  // namespace play
