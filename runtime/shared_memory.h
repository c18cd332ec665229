// A value in memory that processes share: a memfd (memfd_create(2)), mapped. What is in it is theirs who
// share it; here is only how it is made, handed on and mapped.
#pragma once
#include <cstddef>
#include <memory>
#include <type_traits>

#include "runtime/fd.h"
#include "runtime/result.h"

namespace runtime {

namespace detail {
Result<Fd> make_shared_file(const char* name, std::size_t size);
Result<void*> map_shared(int fd, std::size_t size, bool may_write);
Result<void> seal_shared(int fd, bool others_may_write);
void unmap_shared(void* memory, std::size_t size);
}  // namespace detail

/// T is all zero at first, and takes memory only where it has been touched: a read of a page that nobody has
/// written allocates it, too. With a const T the mapping can only be read.
template <class T>
class SharedMemory {
 public:
  /// A new one, sealed against a change of size, and against every writer but this mapping unless
  /// `others_may_write`.
  static Result<SharedMemory> make(const char* name, bool others_may_write) {
    TRY(Fd fd, detail::make_shared_file(name, sizeof(T)));
    TRY(SharedMemory made, adopt(std::move(fd)));
    TRY_VOID(detail::seal_shared(made.fd(), others_may_write));
    return made;
  }
  /// Maps what another process made. Refuses a file of another size.
  static Result<SharedMemory> adopt(Fd fd) {
    TRY(void* memory, detail::map_shared(fd.get(), sizeof(T), !std::is_const_v<T>));
    return SharedMemory(std::move(fd), static_cast<T*>(memory));
  }

  int fd() const { return fd_.get(); }
  T& operator*() const { return *memory_; }
  T* operator->() const { return memory_.get(); }

 private:
  struct Unmap {
    void operator()(T* memory) const {
      detail::unmap_shared(const_cast<std::remove_const_t<T>*>(memory), sizeof(T));
    }
  };
  SharedMemory(Fd fd, T* memory) : fd_(std::move(fd)), memory_(memory) {}
  Fd fd_;
  std::unique_ptr<T, Unmap> memory_;
};

}  // namespace runtime
