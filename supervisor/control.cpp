#include "supervisor/control.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "runtime/socket.h"
#include "supervisor/control_client.h"
#include "supervisor/privileges.h"

namespace supervisor {
namespace {

using Json = nlohmann::json;
using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

std::optional<Caller> caller_of(int fd, const std::function<bool(pid_t)>& is_front) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return std::nullopt;
  Caller caller{.uid = peer.uid, .gid = peer.gid, .groups = {}, .is_front = is_front(peer.pid)};
  caller.groups.resize(1024);
  auto bytes = static_cast<socklen_t>(caller.groups.size() * sizeof(gid_t));
  const bool is_known = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, caller.groups.data(), &bytes) == 0;
  caller.groups.resize(is_known ? bytes / sizeof(gid_t) : 0);
  return caller;
}

Caller ourselves() {
  return {.uid = ::geteuid(), .gid = ::getegid(), .groups = {}};
}

bool is_member(const Caller& caller, gid_t group) {
  return caller.gid == group || std::ranges::find(caller.groups, group) != caller.groups.end();
}

// Whatever its order is. It fits into a socket that nothing was said on.
void turn_away(const Fd& fd) {
  const std::string why = fmt::format(
      "the control socket has {} callers already; end one of them (`logs -f`, an order that waits), or try again",
      Control::kMostCallers);
  const std::string line = refusal({Code::kSystem, why}) + "\n";
  ::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

Right right_of(const Caller& caller, const Caller& own, std::optional<gid_t> group) {
  if (caller.is_front) return Right::kNothing;
  if (caller.uid == 0 || caller.uid == own.uid) return Right::kCommand;
  if (group) return is_member(caller, *group) ? Right::kCommand : Right::kNothing;
  return is_member(caller, own.gid) ? Right::kLook : Right::kNothing;
}

// One caller, from accept to the end of its answer (or of us).
class Control::Visit : public Conversation, public std::enable_shared_from_this<Visit> {
 public:
  Visit(Control& control, Fd fd)
      : control_(control),
        fd_(std::move(fd)),
        watch_(control.loop_, fd_.get(), runtime::bind<&Visit::on_readable>(this),
               runtime::bind<&Visit::on_writable>(this)),
        deadline_(control.loop_, runtime::bind<&Visit::leave>(this)) {
    watch_.want_read(true);
    deadline_.arm(kPatience);
  }

  // The order has come already.
  Asker go_on() {
    is_heard_ = true;
    deadline_.cancel();
    return Asker(weak_from_this());
  }

  int connection() const override { return fd_.get(); }

  void say(std::string line) override {
    if (!has_ended_) send(std::move(line));
  }

  void offer(std::string line) override {
    if (has_ended_) return;
    if (unsent_.size() >= kMostOffered || dropped_ != 0) {
      ++dropped_;
    } else {
      send(std::move(line));
    }
  }

  void end(std::string line, bool stays_open) override {
    if (has_ended_) return;
    has_ended_ = true;
    stays_open_ = stays_open;
    deadline_.arm(kPatience);
    send(std::move(line));
  }

 private:
  static constexpr runtime::Milliseconds kPatience{5000};  // to say an order; to take something of the rest

  void on_readable() {
    char buffer[1024];
    const auto n = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return on_end_of_input();
    if (is_heard_) return;  // whatever it says now
    heard_.append(buffer, static_cast<std::size_t>(n));
    const std::size_t end = heard_.find('\n');
    if (end == std::string::npos ? heard_.size() > kLongestOrder : end > kLongestOrder) return leave();
    if (end != std::string::npos) hear(std::string_view(heard_).substr(0, end));
  }

  // Who has said all that it has to say may still read the result.
  void on_end_of_input() {
    if (!has_ended_ || unsent_.empty()) return leave();
    watch_.want_read(false);
  }

  void hear(std::string_view order) {
    const Asker asker = go_on();
    const auto caller = caller_of(fd_.get(), control_.is_front_);
    const Right right = caller ? right_of(*caller, ourselves(), control_.group_) : Right::kNothing;
    control_.hear_(order, right, asker);
  }

  void send(std::string line) {
    if (has_left_) return;
    if (unsent_.size() > kMostUnread) return leave();
    unsent_ += std::move(line) + "\n";
    if (!watch_.wants_write()) on_writable();
  }

  void on_writable() {
    if (has_left_) return;
    const auto n = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return leave();
    if (n > 0) unsent_.erase(0, static_cast<std::size_t>(n));
    if (n > 0 && has_ended_) deadline_.arm(kPatience);
    if (unsent_.empty() && dropped_ != 0 && !has_ended_)
      unsent_ = Json{{"dropped", std::exchange(dropped_, 0)}}.dump() + "\n";
    watch_.want_write(!unsent_.empty());
    if (!unsent_.empty() || !has_ended_) return;
    if (!stays_open_) return leave();
    deadline_.cancel();
  }

  void leave() {
    has_left_ = true;
    control_.forget(*this);
  }

  Control& control_;
  Fd fd_;
  std::string heard_, unsent_;
  std::uint64_t dropped_ = 0;  // lines offered since the last that was taken; told once all before is read
  bool is_heard_ = false;      // the order has come
  bool has_ended_ = false;     // the last line is in unsent_, or gone
  bool stays_open_ = false;
  bool has_left_ = false;      // to be destroyed at the end of this turn
  runtime::IoWatch watch_;
  runtime::Timer deadline_;    // for the order; then, once all is said, for the reader
};

Result<std::unique_ptr<Control>> Control::open(runtime::Loop& loop, const std::string& path,
                                               const std::string& group, Hear hear) {
  std::optional<gid_t> members;
  if (!group.empty()) {
    TRY(const gid_t gid, find_group(group));
    members = gid;
  }
  if (const auto running = who_answers(path)) {
    return fail(Code::kSystem, fmt::format("already running (pid {}) at {}", *running, path));
  }
  TRY(Fd listener, runtime::listen_unix(path, 0660));
  if (members && ::lchown(path.c_str(), static_cast<uid_t>(-1), *members) != 0) {
    const int why = errno;
    ::unlink(path.c_str());
    return fail(Code::kSystem, fmt::format("cannot give {} to the group {}", path, group), why);
  }
  return std::unique_ptr<Control>(new Control(loop, std::move(listener), path, members, std::move(hear)));
}

Control::Control(runtime::Loop& loop, Fd listener, std::string path, std::optional<gid_t> group,
                 Hear hear)
    : loop_(loop),
      listener_(std::move(listener)),
      path_(std::move(path)),
      group_(group),
      hear_(std::move(hear)),
      watch_(loop, listener_.get(), runtime::bind<&Control::on_visitor>(this)) {
  watch_.want_read(true);
}

Control::~Control() {
  ::unlink(path_.c_str());
}

saved::Control Control::save(const Asker& asker) const {
  return {.listener = {listener_.get()}, .path = path_, .group = group_, .asker = {asker.connection()}};
}

std::unique_ptr<Control> Control::adopt(runtime::Loop& loop, const saved::Control& saved, Hear hear) {
  return std::unique_ptr<Control>(
      new Control(loop, saved::take(saved.listener), saved.path, saved.group, std::move(hear)));
}

Asker Control::adopt_asker(Fd connection) {
  if (!connection) return {};
  return visits_.emplace_back(std::make_shared<Visit>(*this, std::move(connection)))->go_on();
}

void Control::on_visitor() {
  runtime::PeerAddress nobody;
  Fd fd = runtime::accept_from(listener_.get(), nobody);
  if (!fd) return;
  if (visits_.size() >= kMostCallers) return turn_away(fd);
  visits_.push_back(std::make_shared<Visit>(*this, std::move(fd)));
}

void Control::forget(Visit& visit) {
  const auto at = std::ranges::find(visits_, &visit, [](const auto& one) { return one.get(); });
  if (at == visits_.end()) return;
  loop_.bury(std::make_unique<std::shared_ptr<Visit>>(std::move(*at)));
  visits_.erase(at);
}

}  // namespace supervisor
