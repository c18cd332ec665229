#include "proxy/h2_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace proxy {
namespace {

constexpr std::size_t kFrameBuffer = 16 * 1024;

std::size_t page() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

/// The allocator gives what others have used and returned, mostly the buffers of TLS handshakes: an idle connection would hold all
/// of it resident for the sake of a few frames.
void* untouched(std::size_t size) {
  const std::size_t whole = (size + page() - 1) / page() * page();
  void* const made = std::aligned_alloc(page(), whole);
  if (made != nullptr) ::madvise(made, whole, MADV_DONTNEED);
  return made;
}

void* allocate(std::size_t size, void*) { return size < kFrameBuffer ? std::malloc(size) : untouched(size); }
void* allocate_zeroed(std::size_t count, std::size_t size, void*) { return std::calloc(count, size); }
/// A buffer of nghttp2's begins by this one.
void* reallocate(void* old, std::size_t size, void* user) {
  return old == nullptr ? allocate(size, user) : std::realloc(old, size);
}
void release(void* made, void*) { std::free(made); }

}  // namespace

nghttp2_mem* h2_memory() {
  static nghttp2_mem memory{nullptr, allocate, release, allocate_zeroed, reallocate};
  return &memory;
}

}  // namespace proxy
