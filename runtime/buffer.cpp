#include "runtime/buffer.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>

namespace runtime {

// The free list keeps what a busy thread needs and gives back what a burst left: 256 blocks are 4 MiB.
struct Pool {
  static constexpr std::size_t kMostFree = 256;
  Chunk::Block* free = nullptr;
  std::size_t free_count = 0;
  Bytes in_use = 0;

  ~Pool() {
    while (free != nullptr) std::free(std::exchange(free, free->next_free));
  }
};

namespace {
thread_local Pool pool;
constexpr Bytes kHead = 16;  // sizeof(Block): a pooled block is 16 KiB with its head, one size class of the allocator
}  // namespace

Bytes buffered_bytes() { return pool.in_use; }

Chunk Chunk::make(Bytes capacity) {
  static_assert(sizeof(Block) == kHead);
  constexpr Bytes kPooled = kBlock - kHead;
  Block* block = nullptr;
  if (capacity <= kPooled && pool.free != nullptr) {
    block = std::exchange(pool.free, pool.free->next_free);
    --pool.free_count;
  } else {
    const Bytes bytes = std::max(capacity, kPooled);
    block = static_cast<Block*>(std::malloc(kHead + bytes));
    if (block == nullptr) std::abort();  // out of memory ends the process (docs/architecture.md)
    block->capacity = static_cast<std::uint32_t>(bytes);
  }
  block->references = 1;
  pool.in_use += kHead + block->capacity;
  Chunk chunk;
  chunk.block_ = block;
  return chunk;
}

void Chunk::give_back(Block* block) {
  pool.in_use -= kHead + block->capacity;
  if (block->capacity != kBlock - kHead || pool.free_count >= Pool::kMostFree) return std::free(block);
  block->next_free = pool.free;
  pool.free = block;
  ++pool.free_count;
}

Slice InBuffer::take(Bytes n) {
  Slice slice{chunk_, chunk_.data() + begin_, n};
  begin_ += n;
  return slice;
}

std::span<char> InBuffer::room() {
  if (!chunk_) chunk_ = Chunk::make();
  if (chunk_.is_shared() && (is_empty() || end_ == chunk_.capacity())) {
    // Others still look at what we gave them: go on in a new chunk.
    const std::string_view left = bytes();
    Chunk next = Chunk::make(left.size() + 1);
    std::memcpy(next.data(), left.data(), left.size());
    begin_ = 0;
    end_ = left.size();
    chunk_ = std::move(next);
  }
  if (is_empty() && !chunk_.is_shared()) begin_ = end_ = 0;
  if (end_ == chunk_.capacity()) {
    const Bytes left = end_ - begin_;
    if (begin_ == 0) {
      Chunk larger = Chunk::make(chunk_.capacity() * 2);
      std::memcpy(larger.data(), chunk_.data(), left);
      chunk_ = std::move(larger);
    } else {
      std::memmove(chunk_.data(), chunk_.data() + begin_, left);
    }
    begin_ = 0;
    end_ = left;
  }
  return {chunk_.data() + end_, chunk_.capacity() - end_};
}

void ByteQueue::append(Slice slice) {
  if (slice.size == 0) return;
  // A short piece is cheaper copied than carried: it saves an iovec and frees its chunk.
  if (slice.size <= 1024) return append_copy(slice.view());
  size_ += slice.size;
  slices_.push_back(std::move(slice));
}

void ByteQueue::append_copy(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!tail_ || tail_used_ == tail_.capacity()) reserve(1);
    const Bytes n = std::min(bytes.size(), tail_.capacity() - tail_used_);
    std::memcpy(tail_.data() + tail_used_, bytes.data(), n);
    wrote(n);
    bytes.remove_prefix(n);
  }
}

char* ByteQueue::reserve(Bytes n) {
  if (!tail_ || tail_.capacity() - tail_used_ < n) {
    tail_ = Chunk::make(n);
    tail_used_ = 0;
  }
  return tail_.data() + tail_used_;
}

void ByteQueue::wrote(Bytes n) {
  const char* const at = tail_.data() + tail_used_;
  tail_used_ += n;
  size_ += n;
  if (first_ < slices_.size() && slices_.back().data + slices_.back().size == at) {
    slices_.back().size += n;
  } else {
    slices_.push_back({tail_, at, n});
  }
}

void ByteQueue::append_all(ByteQueue& other) {
  while (!other.is_empty()) append(other.take_first());
}

std::size_t ByteQueue::front(std::span<iovec> into, Bytes most) const { return from(0, into, most); }

std::size_t ByteQueue::from(Bytes offset, std::span<iovec> into, Bytes most) const {
  std::size_t filled = 0;
  for (std::size_t i = first_; i < slices_.size() && filled < into.size() && most > 0; ++i) {
    const Slice& slice = slices_[i];
    if (offset >= slice.size) {
      offset -= slice.size;
      continue;
    }
    const Bytes n = std::min(slice.size - offset, most);
    into[filled++] = {const_cast<char*>(slice.data + offset), n};
    most -= n;
    offset = 0;
  }
  return filled;
}

Bytes ByteQueue::peek(char* into, Bytes n) const {
  Bytes copied = 0;
  for (std::size_t i = first_; i < slices_.size() && copied < n; ++i) {
    const Bytes part = std::min(slices_[i].size, n - copied);
    std::memcpy(into + copied, slices_[i].data, part);
    copied += part;
  }
  return copied;
}

void ByteQueue::drop(Bytes n) {
  assert(n <= size_);
  size_ -= n;
  while (n > 0) {
    Slice& slice = slices_[first_];
    if (n < slice.size) {
      slice.data += n;
      slice.size -= n;
      return;
    }
    n -= slice.size;
    slice = Slice();
    ++first_;
  }
  if (size_ == 0) {
    clear();
  } else if (first_ >= 64) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

Slice ByteQueue::take_first() {
  Slice slice = std::move(slices_[first_++]);
  size_ -= slice.size;
  if (size_ == 0) clear();
  return slice;
}

void ByteQueue::clear() {
  slices_.clear();  // keeps its capacity
  first_ = 0;
  size_ = 0;
  tail_ = Chunk();
  tail_used_ = 0;
}

}  // namespace runtime
