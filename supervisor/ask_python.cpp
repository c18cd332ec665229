#include "supervisor/ask_python.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <iterator>
#include <optional>

#include "conf/program.h"
#include "supervisor/environment.h"
#include "supervisor/spawn.h"
#include "upstream/python_package.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Result;
using Clock = std::chrono::steady_clock;

constexpr int kAnswerFd = 3;
constexpr std::chrono::seconds kPatience{60};
constexpr std::size_t kLongestAnswer = std::size_t{1} << 20;

struct Script {
  std::string_view file;
  std::string_view contents;
};

constexpr Script kScripts[] = {
#include "questions.inc"
};

std::string_view contents_of(std::string_view file) {
  const auto found = std::ranges::find(kScripts, file, &Script::file);
  return found != std::end(kScripts) ? found->contents : std::string_view();
}

// How errors are shown, and what a worker knows an app by, stand before the question.
std::string text_of(std::string_view script) {
  return fmt::format("{}{}{}", contents_of("report.py"), upstream::python_source("kind.py"), contents_of(script));
}

Result<SpawnPlan> plan_of(const Errand& errand, int answer) {
  const Variables variables = own_environment();
  const auto path = variables.find("PATH");
  TRY(std::string program,
      conf::find_program(errand.python, path == variables.end() ? "" : path->second, errand.directory));
  SpawnPlan plan{.program = std::move(program),
                 .arguments = {errand.python, "-c", text_of(errand.script)},
                 .environment = to_texts(variables),
                 .directory = errand.directory,
                 .fds = {{STDERR_FILENO, STDOUT_FILENO}, {answer, kAnswerFd}},
                 .death_signal = SIGKILL};
  plan.arguments.insert(plan.arguments.end(), errand.arguments.begin(), errand.arguments.end());
  return plan;
}

bool wait_for(int fd, Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  const int ready = left.count() > 0 ? ::poll(&wanted, 1, static_cast<int>(left.count())) : 0;
  return ready > 0 || (ready < 0 && errno == EINTR);
}

// To its end. Nothing: not in time, or too much.
std::optional<std::string> read_answer(int fd, Clock::time_point deadline) {
  std::string answer;
  char block[4096];
  while (answer.size() <= kLongestAnswer && wait_for(fd, deadline)) {
    const auto n = ::read(fd, block, sizeof block);
    if (n == 0) return answer;
    if (n > 0) answer.append(block, static_cast<std::size_t>(n));
    if (n < 0 && errno != EINTR) return std::nullopt;
  }
  return std::nullopt;
}

int wait_status(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Result<std::string> ask_python(const Errand& errand) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Code::kSystem, "cannot make a pipe", errno);
  const runtime::Fd ours(ends[0]);
  runtime::Fd theirs(ends[1]);
  TRY(const SpawnPlan plan, plan_of(errand, theirs.get()));
  TRY(const Spawned child, spawn(plan));
  theirs = {};
  const auto answer = read_answer(ours.get(), Clock::now() + kPatience);
  // It has nothing more to say. Threads that the app began must not keep it.
  if (!answer) ::kill(-child.pid, SIGKILL);
  const int status = wait_status(child.pid);
  if (const auto failure = read_failure(child.failure.get()))
    return fail(Code::kSystem, fmt::format("{}: {}", errand.python, failure->text()));
  if (!answer)
    return fail(Code::kSystem,
                fmt::format("{} did not answer within {} s", errand.python, kPatience.count()));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail(Code::kSystem,
                fmt::format("{} could not be asked; what it said stands above (--python, $VIRTUAL_ENV or .venv name another interpreter)", errand.python));
  return *answer;
}

}  // namespace supervisor
