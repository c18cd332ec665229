#include "supervisor/source_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "runtime/log.h"

namespace supervisor {
namespace {

// A file is there as it is to be: written, renamed into its place, or gone. IN_CREATE is for folders and links.
constexpr std::uint32_t kChanges = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ONLYDIR;

constexpr std::array<std::string_view, 19> kSources{".py", ".pyi", ".pyx", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts",
                                                    ".tsx", ".json", ".rb", ".ru", ".php", ".lua", ".toml", ".yaml", ".yml"};
constexpr std::array<std::string_view, 6> kMade{"node_modules", "__pycache__", "venv", "site-packages", "build", "dist"};

}  // namespace

bool is_source(std::string_view file_name) {
  return !file_name.starts_with('.') &&
         std::ranges::any_of(kSources, [&](std::string_view ending) { return file_name.ends_with(ending); });
}

bool is_left_out(std::string_view folder_name) {
  return folder_name.starts_with('.') || std::ranges::find(kMade, folder_name) != kMade.end();
}

runtime::Result<runtime::Fd> SourceWatch::open() {
  runtime::Fd events(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!events) return runtime::fail(runtime::Code::kSystem, "sources cannot be watched", errno);
  return events;
}

SourceWatch::SourceWatch(runtime::Loop& loop, runtime::Fd events, runtime::Call<> on_changed)
    : events_(std::move(events)),
      on_changed_(on_changed),
      settled_(loop, runtime::bind<&SourceWatch::on_settled>(this)),
      watch_(loop, events_.get(), runtime::bind<&SourceWatch::on_events>(this)) {
  watch_.want_read(true);
}

void SourceWatch::add(const std::string& folder) {
  watch(folder, false);
}

// The folders that are found are looked into one after the other; a symbolic link is not followed.
void SourceWatch::add_tree(const std::string& folder) {
  std::vector<std::string> found{folder};
  for (std::size_t i = 0; i < found.size() && i < kMost; ++i) {
    watch(found[i], true);
    std::error_code error;
    for (std::filesystem::directory_iterator at(found[i], error), end; !error && at != end; at.increment(error)) {
      std::error_code unknown;
      if (at->symlink_status(unknown).type() != std::filesystem::file_type::directory) continue;
      if (!is_left_out(at->path().filename().native())) found.push_back(at->path());
    }
  }
}

// The kernel gives the same watch again for a folder that has one.
void SourceWatch::watch(const std::string& folder, bool is_of_tree) {
  if (folders_.size() >= kMost) {
    if (std::exchange(has_said_most_, true)) return;
    return runtime::log(runtime::Level::kWarning, "so many folders of sources are not watched: `portherd restart APP` puts a change in force",
                        {{"folder", folder}, {"most", kMost}});
  }
  const int watch = ::inotify_add_watch(events_.get(), folder.c_str(), kChanges);
  if (watch < 0) return;
  Folder& one = folders_[watch];
  one.path = folder;
  one.is_of_tree = one.is_of_tree || is_of_tree;
}

std::vector<std::string> SourceWatch::folders() const {
  std::vector<std::string> paths;
  for (const auto& [watch, folder] : folders_) paths.push_back(folder.path);
  return paths;
}

// Up to a buffer in a turn.
void SourceWatch::on_events() {
  alignas(inotify_event) std::array<char, 8192> events;
  const auto n = ::read(events_.get(), events.data(), events.size());
  for (std::size_t at = 0; n > 0 && at < static_cast<std::size_t>(n);) {
    inotify_event event{};
    std::memcpy(&event, events.data() + at, sizeof event);
    const char* const name = events.data() + at + sizeof event;
    at += sizeof event + event.len;
    on_event(event.wd, event.mask, {name, ::strnlen(name, event.len)});
  }
}

void SourceWatch::on_event(int watch, unsigned mask, std::string_view name) {
  if ((mask & IN_IGNORED) != 0) {
    folders_.erase(watch);  // it has gone
    return;
  }
  const auto found = folders_.find(watch);
  if (found == folders_.end()) return;
  const std::string path = found->second.path + "/" + std::string(name);
  if ((mask & IN_ISDIR) != 0) {
    if (found->second.is_of_tree && (mask & (IN_CREATE | IN_MOVED_TO)) != 0 && !is_left_out(name)) add_tree(path);
    return;
  }
  if (!is_source(name) || settled_.is_armed()) return;
  changed_ = path;
  settled_.arm(kSettled);
}

void SourceWatch::on_settled() {
  on_changed_();
}

}  // namespace supervisor
