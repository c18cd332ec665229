#include "runtime/memory.h"

#include <cstddef>

// Not there where a sanitizer allocates.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old, std::size_t* old_size, void* value, std::size_t size);

namespace runtime {

void give_back_memory() {
  constexpr const char* kOfAllArenas = "arena.4096.decay";  // MALLCTL_ARENAS_ALL
  if (mallctl != nullptr) mallctl(kOfAllArenas, nullptr, nullptr, nullptr, 0);
}

}  // namespace runtime
