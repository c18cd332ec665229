#include "conf/certificates.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>

#include "conf/origin.h"
#include "runtime/result.h"

namespace conf {
namespace {

constexpr std::string_view kSuffix = ".crt";

std::optional<std::string> why_unreadable(std::string const& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) == 0 && !S_ISREG(about.st_mode)) {
    return fmt::format("`{}` is not a regular file", printable(file, kLongestLine));
  }
  if (::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) == 0) return std::nullopt;
  return runtime::Error{runtime::Code::kConfig,
                        fmt::format("`{}` cannot be read", printable(file, kLongestLine)), errno}
      .text();
}

}  // namespace

Certificates look_for_certificates(std::string const& folder) {
  Certificates found;
  DIR* const directory = ::opendir(folder.c_str());
  if (directory == nullptr) return found;
  while (dirent const* const entry = ::readdir(directory)) {
    std::string_view const file = entry->d_name;
    if (file.starts_with('.') || !file.ends_with(kSuffix)) continue;
    found.names.emplace_back(file.substr(0, file.size() - kSuffix.size()));
  }
  ::closedir(directory);
  std::ranges::sort(found.names);
  std::erase_if(found.names, [&](std::string const& name) {
    std::optional<std::string> bad = why_unreadable(fmt::format("{}/{}.crt", folder, name));
    if (!bad) bad = why_unreadable(fmt::format("{}/{}.key", folder, name));
    if (bad) found.problems.push_back(std::move(*bad));
    return bad.has_value();
  });
  return found;
}

}  // namespace conf
