#include "supervisor/judge.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/text.h"
#include "supervisor/environment.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

constexpr int kStateFd = 3;
constexpr std::string_view kName = "portherd ";

Result<std::pair<Fd, Fd>> pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return fail(Code::kSystem, "cannot make a pipe", errno);
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

// What lies there now: more than a sentence nobody wants to hear.
std::string read_from(const Fd& pipe) {
  std::string text(4096, '\0');
  const auto n = ::read(pipe.get(), text.data(), text.size());
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

std::string_view without_end(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<std::string> verdict_of(const std::string& path, const Exit& exit, std::string_view out,
                               std::string_view err) {
  if (exit == Exit{}) {
    out = without_end(out);
    if (out.starts_with(kName)) return std::string(out.substr(kName.size()));
    return fail(Code::kSystem, fmt::format("{} is not portherd: it does not say so when it is asked", path));
  }
  err = without_end(err);
  if (err.starts_with("portherd: ")) err.remove_prefix(err.find(' ') + 1);
  const std::string why = err.empty() ? describe(exit, {}) + " without a word" : std::string(err);
  return fail(Code::kSystem, fmt::format("{} cannot go on here: {}", path, why));
}

Result<std::unique_ptr<Judge>> Judge::begin(Reaper& reaper, const std::string& path, const Fd& state,
                                            OnJudged on_judged) {
  if (::access(path.c_str(), X_OK) != 0) return fail(Code::kSystem, "cannot execute " + path, errno);
  TRY(auto out, pipe());
  TRY(auto err, pipe());
  const SpawnPlan plan{.program = path,
                       .arguments = {path, "check", "--state", fmt::format("{}", kStateFd)},
                       .environment = to_texts(own_environment()),
                       .fds = {{out.second.get(), 1}, {err.second.get(), 2}, {state.get(), kStateFd}}};
  TRY(Spawned spawned, spawn(plan));
  return std::unique_ptr<Judge>(new Judge(reaper, path, std::move(spawned), std::move(out.first),
                                          std::move(err.first), std::move(on_judged)));
}

Judge::Judge(Reaper& reaper, std::string path, Spawned spawned, Fd out, Fd err, OnJudged on_judged)
    : path_(std::move(path)),
      child_(reaper, std::move(spawned), runtime::bind<&Judge::on_exited>(this)),
      out_(std::move(out)),
      err_(std::move(err)),
      on_judged_(std::move(on_judged)),
      deadline_(reaper.loop(), runtime::bind<&Judge::on_deadline>(this)) {
  deadline_.arm(kPatience);
}

void Judge::on_exited(const Exit& exit) {
  deadline_.cancel();
  if (child_.failure()) return on_judged_(fail(Code::kSystem, fmt::format("{}: {}", path_, child_.failure()->text())));
  if (is_too_late_) return on_judged_(fail(Code::kSystem, fmt::format("{} does not say whether it can go on here", path_)));
  on_judged_(verdict_of(path_, exit, read_from(out_), read_from(err_)));
}

void Judge::on_deadline() {
  is_too_late_ = true;
  child_.kill_group();
}

}  // namespace supervisor
