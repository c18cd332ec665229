#include "proxy/spool_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::Chunk;
using runtime::Fd;
using runtime::Slice;

/// For file systems without O_TMPFILE (an overlay of a container, say). Between the two calls a crash leaves an empty file.
Fd create_and_unlink(int folder) {
  static std::atomic<unsigned> count{0};
  for (int tries = 0; tries < 8; ++tries) {
    const std::string name = fmt::format(".portherd-{}-{}", ::getpid(), count.fetch_add(1, std::memory_order_relaxed));
    Fd file(::openat(folder, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (file && ::unlinkat(folder, name.c_str(), 0) == 0) return file;
    if (errno != EEXIST) break;
  }
  return {};
}

Fd open_nameless(int folder) {
  Fd file(::openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  return create_and_unlink(folder);
}

}  // namespace

SpoolFile::Handle SpoolFile::make(SpoolDesk& desk, runtime::Call<> on_done) {
  if (desk.files_ >= desk.most_files_) return {};
  return Handle(new SpoolFile(desk, on_done));
}

SpoolFile::SpoolFile(SpoolDesk& desk, runtime::Call<> on_done)
    : desk_(desk),
      on_done_(on_done),
      errand_(desk.disk_, runtime::bind<&SpoolFile::work>(this), runtime::bind<&SpoolFile::on_back>(this)),
      disk_bytes_(desk.disk_bytes_) {
  ++desk_.files_;
}

SpoolFile::~SpoolFile() { --desk_.files_; }

void SpoolFile::Close::operator()(SpoolFile* file) const {
  runtime::Errand::retire(std::unique_ptr<SpoolFile>(file), file->errand_, runtime::bind<&SpoolFile::close>(file));
}

// ---- on the loop's thread ----

void SpoolFile::append(Slice piece) {
  size_ += piece.size;
  unwritten_.append(std::move(piece));
  go_on();
}

void SpoolFile::read_on(Bytes most) {
  wanted_ = most;
  go_on();
}

Slice SpoolFile::take_piece() {
  if (got_ > 0) {
    read_ += got_;
    const char* const data = room_.data();
    return {std::exchange(room_, Chunk()), data, std::exchange(got_, 0)};
  }
  if (fault_ == Fault::kNone || fault_ == Fault::kUnread || read_ < written_ || unwritten_.is_empty() || is_under_way()) return {};
  // It never came to the file.
  Slice piece = unwritten_.take_first();
  read_ += piece.size;
  return piece;
}

void SpoolFile::rewind() {
  read_ = 0;
  got_ = 0;
}

/// One trip at a time; it takes along all that there is to do.
void SpoolFile::go_on() {
  if (is_under_way()) return;
  trip_ = Trip();
  const bool writes = prepare_write();
  const bool reads = prepare_read();
  if (writes || reads) errand_.send();
}

bool SpoolFile::prepare_write() {
  if (unwritten_.is_empty() || fault_ != Fault::kNone) return false;
  const std::size_t count = unwritten_.front(trip_.parts);
  Bytes end = written_;
  for (std::size_t i = 0; i < count; ++i) end += trip_.parts[i].iov_len;
  if (!disk_bytes_.grow_to(end)) {
    fault_ = Fault::kNoRoom;
    return false;
  }
  trip_.count = count;
  trip_.write_at = written_;
  return true;
}

bool SpoolFile::prepare_read() {
  if (wanted_ == 0 || got_ > 0 || read_ >= written_ || fault_ == Fault::kUnread) return false;
  if (!room_) room_ = Chunk::make(wanted_);
  trip_.room = room_.data();
  trip_.read_size = std::min({wanted_, room_.capacity(), written_ - read_});
  trip_.read_at = read_;
  return true;
}

void SpoolFile::on_back() {
  unwritten_.drop(trip_.wrote);
  written_ += trip_.wrote;
  if (trip_.write_error != 0) {
    fault_ = Fault::kUnwritten;
    error_ = trip_.write_error;
  }
  if (trip_.read_size > 0) take_back_read();
  go_on();
  on_done_();
}

void SpoolFile::take_back_read() {
  if (trip_.read_error != 0) {
    fault_ = Fault::kUnread;
    error_ = trip_.read_error;
  } else if (trip_.read_at == read_) {  // else it has been rewound meanwhile, and is read again
    got_ = trip_.read_size;
    wanted_ = 0;
  }
}

// ---- on the disk's thread ----

void SpoolFile::work() {
  if (trip_.count > 0 && open()) write();
  if (trip_.read_size > 0) read();
}

bool SpoolFile::open() {
  if (!file_) file_ = open_nameless(desk_.folder_.get());
  if (!file_) trip_.write_error = errno;
  return static_cast<bool>(file_);
}

void SpoolFile::write() {
  for (std::size_t i = 0; i < trip_.count;) {
    iovec& part = trip_.parts[i];
    const ssize_t n = ::pwrite(file_.get(), part.iov_base, part.iov_len, static_cast<off_t>(trip_.write_at + trip_.wrote));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      trip_.write_error = errno;
      return;
    }
    trip_.wrote += static_cast<Bytes>(n);
    part.iov_base = static_cast<char*>(part.iov_base) + n;
    part.iov_len -= static_cast<std::size_t>(n);
    if (part.iov_len == 0) ++i;
  }
}

void SpoolFile::read() {
  for (Bytes got = 0; got < trip_.read_size;) {
    const ssize_t n = ::pread(file_.get(), trip_.room + got, trip_.read_size - got, static_cast<off_t>(trip_.read_at + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      trip_.read_error = n < 0 ? errno : EIO;  // nobody else could have made it shorter
      return;
    }
    got += static_cast<Bytes>(n);
  }
}

void SpoolFile::close() {
  file_.reset();
  disk_bytes_.give_back();
}

}  // namespace proxy
