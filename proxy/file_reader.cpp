#include "proxy/file_reader.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::Chunk;
using runtime::Fd;
using Kind = FileFinding::Kind;

constexpr std::string_view kIndex = "index.html";

struct Opened {
  Fd fd;
  int error = 0;  // errno, where there is no fd
};

// EAGAIN: something was renamed meanwhile, and the kernel cannot tell whether ".." of a link led out.
Opened open_at(int folder, const char* name, const open_how& how) {
  for (int tries = 0;; ++tries) {
    const long fd = ::syscall(SYS_openat2, folder, name, &how, sizeof how);
    if (fd >= 0) return {Fd(static_cast<int>(fd)), 0};
    if ((errno != EAGAIN && errno != EINTR) || tries == 8) return {Fd(), errno};
  }
}

/// Below `folder`, come what may: openat2(2) refuses what would leave it, by "..", by an absolute link or by
/// one of /proc, while it walks, so that nobody can swap a folder for a link in between. Links that stay
/// below are followed.
Opened open_below(int folder, const std::string& name) {
  open_how how{};
  // Nothing here waits for the other end of a FIFO, and no terminal becomes ours.
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return open_at(folder, name.empty() ? "." : name.c_str(), how);
}

/// As if `root` were the root, also for what a link says.
Opened open_folder(int root, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  return open_at(root, path.c_str(), how);
}

Kind kind_of_error(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ENXIO:  // a socket, or a FIFO or device without a driver behind it
    case ENODEV:
      return Kind::kNothing;
    case EXDEV:
    case ELOOP:
      return Kind::kLeadsOut;
    case EACCES:
    case EPERM:
      return Kind::kUnreadable;
    default:
      return Kind::kFailed;
  }
}

FileFacts facts_of(const struct stat& about, Coding coding) {
  return {static_cast<std::uint64_t>(about.st_size), about.st_mtim.tv_sec, about.st_mtim.tv_nsec, coding};
}

struct Sibling {
  Coding coding;
  std::string_view ending;
};
constexpr Sibling kSiblings[] = {{Coding::kBrotli, ".br"}, {Coding::kGzip, ".gz"}};

bool is_coded_itself(std::string_view name) {
  return std::ranges::any_of(kSiblings,
                             [name](const Sibling& sibling) { return name.ends_with(sibling.ending); });
}

}  // namespace

FileReader::FileReader(runtime::DiskDesk& desk, int root, runtime::Call<> done)
    : errand_(desk, runtime::bind<&FileReader::work>(this), done), root_(root) {}

// ---- on the loop's thread ----

void FileReader::look_up() {
  room_ = Chunk::make(Chunk::kBlock);
  errand_.send();
}

void FileReader::read_on() {
  room_ = Chunk::make(left_ > Chunk::kBlock ? Chunk::kLargeBlock : Chunk::kBlock);
  errand_.send();
}

runtime::Slice FileReader::take_piece() {
  if (got_ == 0) return {};
  const char* const data = room_.data();
  return {std::exchange(room_, Chunk()), data, std::exchange(got_, 0)};
}

// ---- on the Disk's thread ----

void FileReader::work() {
  if (!file_) find();
  if (file_ && left_ > 0) read_piece();
}

/// The folder is opened anew each time: a release may have put another one in its place.
void FileReader::find() {
  const Opened folder = open_folder(root_, question_.folder);
  if (!folder.fd) {
    finding_.kind = folder.error == EACCES ? Kind::kUnreadable : Kind::kFailed;
    return;
  }
  open_file(folder.fd.get());
  if (!file_) return;
  choose_coding(folder.fd.get());
  finding_.tag = entity_tag(finding_.facts, question_.now);
  finding_.modified = last_modified(finding_.facts);
  finding_.verdict = judge(question_.request, finding_.facts, finding_.tag, finding_.modified);
  at_ = finding_.verdict.first;
  left_ = question_.request.is_head ? 0 : finding_.verdict.size;
  question_.request = {};  // a slow client need not cost its fields too
}

/// file_ is set where the answer is a file.
void FileReader::open_file(int folder) {
  const auto index_of = [](const std::string& name) {
    return name.empty() ? std::string(kIndex) : name + '/' + std::string(kIndex);
  };
  if (question_.is_folder) question_.name = index_of(question_.name);
  Opened opened = open_below(folder, question_.name);
  struct stat about {};
  if (!opened.fd || ::fstat(opened.fd.get(), &about) != 0) {
    finding_.kind = kind_of_error(opened.fd ? errno : opened.error);
  } else if (S_ISREG(about.st_mode)) {
    finding_.kind = Kind::kFile;
    finding_.facts = facts_of(about, Coding::kNone);
    file_ = std::move(opened.fd);
  } else if (S_ISDIR(about.st_mode) && !question_.is_folder) {
    finding_.kind = open_below(folder, index_of(question_.name)).fd ? Kind::kFolder : Kind::kNothing;
  }
}

/// A sibling that is older than the file is of an earlier one. Both are looked for, whatever the client
/// takes: that there is another answer for others must be said to it, too (RFC 9110 12.5.5).
void FileReader::choose_coding(int folder) {
  if (is_coded_itself(question_.name)) return;
  const std::int64_t modified = finding_.facts.modified;
  std::uint16_t best = 0;
  for (const Sibling& sibling : kSiblings) {
    Opened opened = open_below(folder, question_.name + std::string(sibling.ending));
    struct stat about {};
    if (!opened.fd || ::fstat(opened.fd.get(), &about) != 0) continue;
    if (!S_ISREG(about.st_mode) || about.st_mtim.tv_sec < modified) continue;
    finding_.varies = true;
    const Codings& wanted = question_.request.codings;
    const std::uint16_t weight = sibling.coding == Coding::kBrotli ? wanted.brotli : wanted.gzip;
    if (weight <= best) continue;
    best = weight;
    finding_.facts = facts_of(about, sibling.coding);
    file_ = std::move(opened.fd);
  }
}

void FileReader::read_piece() {
  const Bytes wanted = std::min<std::uint64_t>(left_, room_.capacity());
  for (got_ = 0; got_ < wanted;) {
    const ssize_t n = ::pread(file_.get(), room_.data() + got_, wanted - got_, static_cast<off_t>(at_));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;  // shorter than it was, or the disk has failed
    got_ += static_cast<Bytes>(n);
    at_ += static_cast<std::uint64_t>(n);
    left_ -= static_cast<std::uint64_t>(n);
  }
  if (left_ == 0) file_.reset();  // the client may take its time, and nobody waits for the disk to close it
}

}  // namespace proxy
