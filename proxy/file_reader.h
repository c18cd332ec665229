// One file of a `files` route: found below its folder, judged by the request's conditions, read piece by
// piece. All that waits for the disk is here and runs on a thread of runtime::Disk; who talks to the client
// is proxy/file_answer.h.
#pragma once
#include <string>

#include "proxy/file_request.h"
#include "runtime/buffer.h"
#include "runtime/disk.h"
#include "runtime/fd.h"

namespace proxy {

/// Where to look, and for whom. Set before look_up().
struct FileQuestion {
  std::string folder;      ///< of the route, absolute
  std::string name;        ///< below it, see proxy/file_path.h
  bool is_folder = false;  ///< asked for with "/" at its end: then its index.html is meant
  std::int64_t now = 0;    ///< seconds since 1970
  FileRequest request;
};

/// What was found. Valid once look_up() is done.
struct FileFinding {
  enum class Kind : std::uint8_t {
    kFile,        ///< all below is set
    kFolder,      ///< one with an index, asked for without the "/" at its end
    kNothing,     ///< or nothing that may be seen
    kLeadsOut,    ///< a link that leads out of the folder
    kUnreadable,  ///< there, but not for us
    kFailed,      ///< the disk, or the machine, says no
  } kind = Kind::kNothing;
  FileVerdict verdict;
  FileFacts facts;
  bool varies = false;  ///< there are coded siblings: the answer depends on Accept-Encoding
  std::string tag, modified;
};

class FileReader {
 public:
  /// `done` is called on the loop when look_up() or read_on() is done. `root`: where absolute names begin, outlives this.
  FileReader(runtime::DiskDesk& desk, int root, runtime::Call<> done);

  FileQuestion& question() { return question_; }
  void look_up();
  const FileFinding& finding() const { return finding_; }

  /// Bytes of the verdict that are not read yet.
  std::uint64_t left() const { return left_; }
  /// Reads one piece, at most 64 KiB; there must be some left. look_up() has read the first one.
  void read_on();
  /// What was read last; empty if there was nothing: HEAD, an empty file, or one that has become shorter
  /// (then left() is not 0). The chunk goes with it: this object holds none until read_on().
  runtime::Slice take_piece();

  runtime::Errand& errand() { return errand_; }

 private:
  // On the Disk's thread.
  void work();
  void find();
  void open_file(int folder);
  void choose_coding(int folder);
  void read_piece();

  runtime::Errand errand_;
  const int root_;
  FileQuestion question_;
  FileFinding finding_;
  runtime::Fd file_;      // empty: not looked for yet
  std::uint64_t at_ = 0;  // where the next piece begins
  std::uint64_t left_ = 0;
  runtime::Chunk room_;     // for the piece that is read; the one chunk that this object holds
  runtime::Bytes got_ = 0;  // of it
};

}  // namespace proxy
