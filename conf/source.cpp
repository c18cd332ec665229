#include "conf/source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace conf {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Result;

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

Result<std::string> read_all(int descriptor) {
  std::string text;
  std::array<char, 16384> piece;
  for (;;) {
    ssize_t const n = ::read(descriptor, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Code::kConfig, "cannot be read", errno);
    if (n == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(n));
    if (text.size() > kLargestFile) return fail(Code::kConfig, "is larger than 1 MiB");
  }
}

}  // namespace

Source::Source(std::string name, std::string folder, std::string text)
    : name_(std::move(name)), folder_(std::move(folder)), text_(std::move(text)), line_starts_{0} {
  for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1)) {
    line_starts_.push_back(at + 1);
  }
}

Result<Source> Source::open(std::string const& path) {
  // Not blocking: opening a FIFO without a writer would wait for ever.
  Descriptor const file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (file.number < 0) return fail(Code::kConfig, "cannot be opened", errno);
  struct stat about {};
  if (::fstat(file.number, &about) != 0) return fail(Code::kConfig, "cannot be read", errno);
  if (S_ISDIR(about.st_mode)) return fail(Code::kConfig, "is a folder, not a file");
  if (!S_ISREG(about.st_mode)) return fail(Code::kConfig, "is not a regular file");
  TRY(std::string text, read_all(file.number));
  return Source(path, folder_of(path), std::move(text));
}

Origin Source::at(std::size_t line, std::size_t column) const {
  Origin origin{name_, line, column, {}};
  if (line == 0 || line > line_starts_.size()) return origin;
  std::string_view rest = std::string_view(text_).substr(line_starts_[line - 1]);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  origin.line_text = printable(rest, kLongestLine);
  return origin;
}

std::string absolute(std::string_view folder, std::string_view path) {
  if (folder.empty() || path.starts_with('/')) return std::string(path);
  while (path.starts_with("./")) path.remove_prefix(2);
  if (path.empty() || path == ".") return std::string(folder);
  return fmt::format("{}{}{}", folder, folder.ends_with('/') ? "" : "/", path);
}

std::string folder_of(std::string const& path) {
  std::error_code error;
  std::string const whole = absolute(std::filesystem::current_path(error).string(), path);
  std::size_t const slash = whole.rfind('/');
  if (slash == std::string::npos) return {};
  return whole.substr(0, std::max<std::size_t>(slash, 1));
}

}  // namespace conf
