#include "runtime/signposts.h"

#include <filesystem>
#include <list>
#include <system_error>

namespace runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostLinks = 40;

// "/", if it is absolute, and the names.
std::list<fs::path> parts(const fs::path& path) {
  std::list<fs::path> all(path.begin(), path.end());
  std::erase_if(all, [](const fs::path& part) { return part.empty() || part == "."; });
  return all;
}

}  // namespace

std::vector<Signpost> signposts(const std::string& path) {
  std::list<fs::path> names = parts(path);
  std::vector<Signpost> found;
  fs::path at = "/";
  std::size_t links = 0;
  while (!names.empty()) {
    const fs::path name = std::move(names.front());
    names.pop_front();
    if (name.is_absolute() || name == "..") {
      at = name.is_absolute() ? name : at.parent_path();
      continue;
    }
    std::error_code why_not;
    const fs::file_type type = fs::symlink_status(at / name, why_not).type();
    const bool is_there = type != fs::file_type::not_found && type != fs::file_type::none;
    if (type == fs::file_type::symlink || !is_there || names.empty()) found.push_back({at.string(), name.string()});
    if (!is_there) break;
    if (type != fs::file_type::symlink) {
      at /= name;
      continue;
    }
    const fs::path target = fs::read_symlink(at / name, why_not);
    if (why_not || ++links > kMostLinks) break;
    names.splice(names.begin(), parts(target));
  }
  return found;
}

}  // namespace runtime
