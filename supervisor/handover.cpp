#include "supervisor/handover.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "runtime/memory_text.h"
#include "runtime/text.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

constexpr const char* kMemory = "PORTHERD_HANDED_ON";      // the descriptor's number
constexpr const char* kRefused = "PORTHERD_HANDED_BACK";  // why

std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < text.size();) {
    arguments.emplace_back(text.c_str() + at);
    at += arguments.back().size() + 1;
  }
  return arguments;
}

// All of it as we have it: what children are not to see is taken out for each of them.
std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> all(more);
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) all.emplace_back(*at);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

void let_inherit(const std::vector<int>& descriptors, bool is_inherited) {
  for (const int fd : descriptors) ::fcntl(fd, F_SETFD, is_inherited ? 0 : FD_CLOEXEC);
}

}  // namespace

bool is_handed_over() {
  return std::getenv(kMemory) != nullptr;
}

Result<Handed> take_handed() {
  const char* number = std::getenv(kMemory);
  const char* refused = std::getenv(kRefused);
  const auto fd = runtime::parse_number(number == nullptr ? "" : number);
  Handed handed{.refused = refused == nullptr ? "" : refused};
  ::unsetenv(kMemory);
  ::unsetenv(kRefused);
  if (!fd || *fd > 1'000'000 || ::fcntl(static_cast<int>(*fd), F_GETFD) < 0)
    return fail(Code::kProtocol, "nothing was handed over to us");
  handed.memory.reset(static_cast<int>(*fd));
  return handed;
}

Result<std::string> read_all(const Fd& memory) {
  return runtime::from_memory(memory.get(), saved::kMost);
}

Result<Fd> in_memory(const std::string& text) {
  if (text.size() > saved::kMost) return fail(Code::kSystem, "there is too much to be handed on");
  return runtime::to_memory("portherd-handed-on", text);
}

runtime::Error hand_over(const std::string& path, const saved::Supervisor& all, const std::string& notify) {
  const auto memory = in_memory(saved::write(all));
  if (!memory) return memory.error();
  std::vector<std::string> arguments = own_arguments();
  std::vector<std::string> more{fmt::format("{}={}", kMemory, memory->get())};
  if (!notify.empty()) more.push_back("NOTIFY_SOCKET=" + notify);
  std::vector<std::string> environment = environment_with(more);
  std::vector<int> descriptors = saved::descriptors_of(all);
  descriptors.push_back(memory->get());
  let_inherit(descriptors, true);
  ::execve(path.c_str(), pointers(arguments).data(), pointers(environment).data());
  const int why = errno;
  let_inherit(descriptors, false);
  return {Code::kSystem, "cannot execute " + path, why};
}

// Nothing that was handed on has been touched: it is inherited as it was by us.
runtime::Error hand_back(const saved::Program& program, const Fd& memory, const std::string& why) {
  std::vector<std::string> arguments = own_arguments();
  std::vector<std::string> environment =
      environment_with({fmt::format("{}={}", kMemory, memory.get()), fmt::format("{}={}", kRefused, why)});
  ::syscall(SYS_execveat, program.self.number, "", pointers(arguments).data(), pointers(environment).data(),
            AT_EMPTY_PATH);
  return {Code::kSystem, "cannot execute the program before", errno};
}

}  // namespace supervisor
