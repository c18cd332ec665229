#include "supervisor/control.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "runtime/log.h"
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

std::optional<Caller> caller_of(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return std::nullopt;
  Caller caller{.uid = peer.uid, .gid = peer.gid};
  caller.groups.resize(1024);
  auto bytes = static_cast<socklen_t>(caller.groups.size() * sizeof(gid_t));
  const bool is_known = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, caller.groups.data(), &bytes) == 0;
  caller.groups.resize(is_known ? bytes / sizeof(gid_t) : 0);
  return caller;
}

std::string refusal(std::string_view code, std::string_view sentence) {
  return Json{{"ok", false}, {"code", code}, {"sentence", sentence}}.dump();
}

// The verb of {"verb": "status"}; empty if it is not of that form.
std::string verb_of(std::string_view line) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {};
  const auto verb = json.find("verb");
  return verb != json.end() && verb->is_string() ? verb->get<std::string>() : std::string();
}

}  // namespace

bool may_command(const Caller& caller, uid_t own, std::optional<gid_t> group) {
  if (caller.uid == 0 || caller.uid == own) return true;
  return group && (caller.gid == *group || std::ranges::find(caller.groups, *group) != caller.groups.end());
}

// One caller, from accept to the end of its answer (or of us).
struct Control::Visit {
  Visit(Control& to, Fd from)
      : control(to),
        fd(std::move(from)),
        watch(to.loop_, fd.get(), runtime::bind<&Visit::on_readable>(this),
              runtime::bind<&Visit::on_writable>(this)),
        deadline(to.loop_, runtime::bind<&Visit::on_due>(this)) {
    watch.want_read(true);
    deadline.arm(kPatience);
  }
  static constexpr runtime::Milliseconds kPatience{5000};

  void on_readable() {
    char buffer[1024];
    const auto n = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return control.end(*this);
    if (is_answered) return;  // whatever it says now
    heard.append(buffer, static_cast<std::size_t>(n));
    const std::size_t end = heard.find('\n');
    if (end != std::string::npos) return answer(std::string_view(heard).substr(0, end));
    if (heard.size() > kLongestLine) control.end(*this);
  }

  void answer(std::string_view line) {
    is_answered = true;
    const auto caller = caller_of(fd.get());
    Answer given;
    if (!caller || !may_command(*caller, ::geteuid(), control.group_)) {
      given.text = refusal("permission", "you may not give orders to this supervisor");
    } else {
      given = control.answer_(verb_of(line));
    }
    stays_open = given.stays_open;
    unsent = given.text + "\n";
    on_writable();
  }

  void on_writable() {
    const auto n = ::send(fd.get(), unsent.data(), unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) return control.end(*this);
    if (n > 0) unsent.erase(0, static_cast<std::size_t>(n));
    watch.want_write(!unsent.empty());
    if (!unsent.empty()) return;
    if (!stays_open) return control.end(*this);
    deadline.cancel();
  }

  void on_due() { control.end(*this); }

  Control& control;
  Fd fd;
  std::string heard, unsent;
  bool is_answered = false, stays_open = false;
  runtime::IoWatch watch;
  runtime::Timer deadline;
};

Result<std::unique_ptr<Control>> Control::open(runtime::Loop& loop, const std::string& path,
                                               const std::string& group, Answerer answer) {
  std::optional<gid_t> members;
  if (!group.empty()) {
    TRY(const gid_t gid, find_group(group));
    members = gid;
  }
  if (const auto running = who_answers(path)) {
    return fail(Code::kSystem, fmt::format("already running (pid {}) at {}", *running, path));
  }
  TRY(Fd listener, runtime::listen_unix(path, members ? 0660 : 0600));
  if (members && ::lchown(path.c_str(), static_cast<uid_t>(-1), *members) != 0) {
    const int why = errno;
    ::unlink(path.c_str());
    return fail(Code::kSystem, fmt::format("cannot give {} to the group {}", path, group), why);
  }
  return std::unique_ptr<Control>(new Control(loop, std::move(listener), path, members, std::move(answer)));
}

Control::Control(runtime::Loop& loop, Fd listener, std::string path, std::optional<gid_t> group,
                 Answerer answer)
    : loop_(loop),
      listener_(std::move(listener)),
      path_(std::move(path)),
      group_(group),
      answer_(std::move(answer)),
      watch_(loop, listener_.get(), runtime::bind<&Control::on_visitor>(this)) {
  watch_.want_read(true);
}

Control::~Control() {
  ::unlink(path_.c_str());
}

void Control::on_visitor() {
  runtime::PeerAddress nobody;
  Fd fd = runtime::accept_from(listener_.get(), nobody);
  if (fd && visits_.size() < kMostCallers) visits_.push_back(std::make_unique<Visit>(*this, std::move(fd)));
}

void Control::end(Visit& visit) {
  const auto at = std::ranges::find(visits_, &visit, [](const auto& one) { return one.get(); });
  if (at == visits_.end()) return;
  loop_.bury(std::move(*at));
  visits_.erase(at);
}

}  // namespace supervisor
