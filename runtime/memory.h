// Memory that nobody uses any more.
#pragma once

namespace runtime {

/// What the allocator keeps of freed memory goes back to the machine as soon as it has been kept for long enough (MALLOC_CONF,
/// dirty_decay_ms). It looks by itself only while somebody allocates, and after a flood nobody may. Cheap when there is nothing.
/// Nothing happens with another allocator than jemalloc. See arena.<i>.decay, jemalloc(3).
void give_back_memory();

}  // namespace runtime
