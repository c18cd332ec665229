#include "conf/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "conf/env_file.h"
#include "conf/source.h"
#include "runtime/text.h"

namespace conf {
namespace {

constexpr char const* kBarePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// 0, or the errno that says why it cannot be started.
int why_not_executable(std::string const& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0) return errno;
  if (!S_ISREG(about.st_mode)) return EACCES;
  return ::faccessat(AT_FDCWD, file.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

}  // namespace

runtime::Result<std::string> find_program(std::string_view name, std::string_view path,
                                          std::string_view directory) {
  if (name.find('/') != std::string_view::npos) {
    std::string file = absolute(directory, name);
    int const why = why_not_executable(file);
    if (why == 0) return file;
    return runtime::fail(runtime::Code::kConfig,
                         fmt::format("`{}` cannot be executed", printable(file, kLongestLine)), why);
  }
  for (std::string_view folder : runtime::split(path, ':')) {
    std::string file = fmt::format("{}/{}", absolute(directory, folder), name);
    if (!name.empty() && why_not_executable(file) == 0) return file;
  }
  return runtime::fail(runtime::Code::kConfig, fmt::format("no program `{}` in PATH ({})", printable(name),
                                                           printable(path, kLongestLine)));
}

std::string search_path(App const& app) {
  if (auto const own = app.env.find("PATH"); own != app.env.end()) return own->second;
  if (!app.env_file.empty()) {
    std::expected<Environment, Problem> const environment = read_env_file(app.env_file);
    if (environment) {
      auto const found = std::ranges::find(*environment, "PATH", &Environment::value_type::first);
      if (found != environment->end()) return found->second;
    }
  }
  char const* const ours = std::getenv("PATH");
  return ours != nullptr && *ours != '\0' ? ours : kBarePath;
}

}  // namespace conf
