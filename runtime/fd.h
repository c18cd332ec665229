// A file descriptor that closes itself, and the words for what reading and writing bytes can come to.
#pragma once
#include <utility>

namespace runtime {

/// What one attempt to move bytes came to. Every value is a normal event; none is an Error.
enum class Io {
  kProgress,  ///< bytes moved
  kWant,      ///< would block: try again when the loop says so
  kClosed,    ///< the peer said goodbye (end of input)
  kFailed,    ///< the connection is broken (reset, or a protocol below us failed)
};

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// A second descriptor for the same open file, close-on-exec. Empty on failure (errno is set).
Fd duplicate(int fd);

/// Clears close-on-exec, so that a program started from here inherits it.
void make_inheritable(int fd);

}  // namespace runtime
