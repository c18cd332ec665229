// A temporary file without a name ([front] spool), for what of a body does not fit into memory: bytes in at its end, and
// out again in order. All that may wait for the disk, closing too (a big file's blocks are freed then), is done by the threads of
// a runtime::Disk; an event loop only ever hands bytes over. Whose body it is, and what a failure means, its owner knows:
// proxy/upload.h, proxy/exchange_deliver.cpp.
#pragma once
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>

#include "proxy/byte_budget.h"
#include "runtime/buffer.h"
#include "runtime/disk.h"
#include "runtime/fd.h"

namespace proxy {

class SpoolFile;

/// Where the files of one thread are made, and how many there may be. Outlives them.
class SpoolDesk {
 public:
  /// `folder` for openat(2), looked at when a file is made. `disk_bytes`: [front] spool_disk, shared by the threads.
  SpoolDesk(runtime::Loop& loop, runtime::Disk& disk, const runtime::Fd& folder, ByteBudget& disk_bytes, std::size_t most_files)
      : folder_(folder), disk_bytes_(disk_bytes), most_files_(most_files), disk_(loop, disk) {}

  /// Those that are open; one that is not wanted any more counts until it is closed.
  std::size_t files() const { return files_; }

 private:
  friend class SpoolFile;
  const runtime::Fd& folder_;
  ByteBudget& disk_bytes_;
  const std::size_t most_files_;
  std::size_t files_ = 0;
  runtime::DiskDesk disk_;  // the last member: what comes back in its destructor looks at the others
};

class SpoolFile {
 public:
  /// How the owner lets go of it: what is under way on the disk comes to its end, then the file is closed, unheard.
  struct Close {
    void operator()(SpoolFile*) const;
  };
  using Handle = std::unique_ptr<SpoolFile, Close>;

  /// Empty: there are as many as there may be. `on_done` comes from the loop whenever the disk has done something.
  static Handle make(SpoolDesk& desk, runtime::Call<> on_done);
  ~SpoolFile();

  /// Behind what is there. Held in memory until it is written; for good if the file has a fault.
  void append(runtime::Slice piece);
  /// Wants the next piece, at most so many bytes; take_piece() has it when `on_done` says so.
  void read_on(runtime::Bytes most);
  /// The next bytes in order; empty: not there yet.
  runtime::Slice take_piece();
  /// What is read next is the first byte again. Not with a fault.
  void rewind();

  bool is_under_way() const { return errand_.is_under_way(); }
  runtime::Bytes size() const { return size_; }             ///< of all that was appended
  runtime::Bytes unread() const { return size_ - read_; }   ///< and not taken
  runtime::Bytes unwritten() const { return unwritten_.size(); }

  enum class Fault : std::uint8_t {
    kNone,
    kNoRoom,     ///< spool_disk is used up; nothing more is written
    kUnwritten,  ///< the disk has not taken it; nothing more is written, all that was appended can still be taken
    kUnread,     ///< the disk does not give it back: take_piece() will never have more
  };
  Fault fault() const { return fault_; }
  int error() const { return error_; }  ///< errno of kUnwritten and kUnread

 private:
  /// One way to the disk and back. Filled by the loop; between send() and on_back() it is the disk's, and of the bodies it
  /// sees only bytes that the loop holds meanwhile: references of chunks are not atomic.
  struct Trip {
    std::array<iovec, 16> parts;
    std::size_t count = 0;  // of parts; to be written at write_at
    runtime::Bytes write_at = 0, wrote = 0;
    char* room = nullptr;  // for read_size bytes from read_at; 0: nothing is to be read
    runtime::Bytes read_size = 0, read_at = 0;
    int write_error = 0, read_error = 0;
  };

  SpoolFile(SpoolDesk& desk, runtime::Call<> on_done);
  void go_on();
  bool prepare_write();
  bool prepare_read();
  void on_back();
  void take_back_read();
  // On the disk's thread.
  void work();
  bool open();
  void write();
  void read();
  void close();

  SpoolDesk& desk_;
  runtime::Call<> on_done_;
  runtime::Errand errand_;
  Trip trip_;
  runtime::Fd file_;               // the disk's thread opens and closes it; empty: not written yet
  ByteShare disk_bytes_;           // as many as were ever to be written
  runtime::ByteQueue unwritten_;   // behind written_ bytes of the file
  runtime::Bytes size_ = 0, written_ = 0, read_ = 0;
  runtime::Bytes wanted_ = 0;      // by read_on(), until it is there
  runtime::Chunk room_;            // for the piece that is read
  runtime::Bytes got_ = 0;         // of it, to be taken
  Fault fault_ = Fault::kNone;
  int error_ = 0;
};

}  // namespace proxy
