// For the one-file program (PORTHERD_STATIC), which has to run with the glibc of systems that are older than
// the one that it is built on: 2.34. The three newer functions that the libraries in it call, in terms of
// older ones.
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <sys/random.h>

#include <cstddef>
#include <cstdint>

// libevent; once for each thing that it hashes. glibc's are never out of random bytes either (getrandom(2):
// 256 at a time are given whole).
extern "C" void arc4random_buf(void* into, std::size_t size) noexcept {
  auto* at = static_cast<unsigned char*>(into);
  while (size > 0) {
    const auto got = ::getrandom(at, size < 256 ? size : 256, 0);
    if (got <= 0) continue;  // a signal came
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

extern "C" std::uint32_t arc4random() noexcept {
  std::uint32_t number = 0;
  arc4random_buf(&number, sizeof number);
  return number;
}

#ifdef DLFO_EH_SEGMENT_TYPE
namespace {

struct Search {
  std::uintptr_t address;
  dl_find_object* found;
};

bool holds(const dl_phdr_info& object, const ElfW(Phdr) & segment, std::uintptr_t address) {
  const std::uintptr_t start = object.dlpi_addr + segment.p_vaddr;
  return address >= start && address - start < segment.p_memsz;
}

// dl_iterate_phdr(3) calls it for each object, until it returns something else than 0.
int look(dl_phdr_info* object, std::size_t, void* data) {
  const auto& search = *static_cast<Search*>(data);
  const ElfW(Phdr)* code = nullptr;
  const ElfW(Phdr)* frames = nullptr;
  for (std::size_t i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type == PT_LOAD && holds(*object, segment, search.address)) code = &segment;
    if (segment.p_type == DLFO_EH_SEGMENT_TYPE) frames = &segment;
  }
  if (code == nullptr || frames == nullptr) return 0;
  search.found->dlfo_eh_frame = reinterpret_cast<void*>(object->dlpi_addr + frames->p_vaddr);
  return 1;
}

}  // namespace

// libgcc's unwinder, when an exception is thrown; of what is found it reads the place of the frames' table
// alone. -1: there is none, as glibc says it.
extern "C" int _dl_find_object(void* address, dl_find_object* found) noexcept {
  *found = {};
  Search search{reinterpret_cast<std::uintptr_t>(address), found};
  return ::dl_iterate_phdr(look, &search) == 1 ? 0 : -1;
}
#endif
