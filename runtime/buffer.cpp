#include "runtime/buffer.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>

namespace runtime {

// The free lists keep what a busy thread needs and give back what a burst left: 4 MiB of each size.
struct Pool {
  struct Shelf {
    Bytes capacity;  // of its blocks; with the head one size class of the allocator
    std::size_t most;
    Chunk::Block* free = nullptr;
    std::size_t count = 0;
  };
  Shelf shelves[2] = {{Chunk::kBlock - sizeof(Chunk::Block), 256}, {Chunk::kLargeBlock - sizeof(Chunk::Block), 64}};
  Bytes in_use = 0;

  ~Pool() {
    for (Shelf& shelf : shelves) {
      while (shelf.free != nullptr) std::free(std::exchange(shelf.free, shelf.free->next_free));
    }
  }
};

namespace {
thread_local Pool pool;
}  // namespace

Bytes buffered_bytes() { return pool.in_use; }

Chunk Chunk::make(Bytes capacity) {
  Block* block = nullptr;
  Pool::Shelf& shelf = pool.shelves[capacity <= pool.shelves[0].capacity ? 0 : 1];
  const bool is_pooled = capacity <= shelf.capacity;
  if (is_pooled && shelf.free != nullptr) {
    block = std::exchange(shelf.free, shelf.free->next_free);
    --shelf.count;
  } else {
    const Bytes bytes = is_pooled ? shelf.capacity : capacity;
    block = static_cast<Block*>(std::malloc(sizeof(Block) + bytes));
    if (block == nullptr) std::abort();  // out of memory ends the process (docs/architecture.md)
    block->capacity = static_cast<std::uint32_t>(bytes);
  }
  block->references = 1;
  pool.in_use += sizeof(Block) + block->capacity;
  Chunk chunk;
  chunk.block_ = block;
  return chunk;
}

void Chunk::give_back(Block* block) {
  pool.in_use -= sizeof(Block) + block->capacity;
  for (Pool::Shelf& shelf : pool.shelves) {
    if (block->capacity != shelf.capacity || shelf.count >= shelf.most) continue;
    block->next_free = shelf.free;
    shelf.free = block;
    ++shelf.count;
    return;
  }
  std::free(block);
}

Slice InBuffer::take(Bytes n) {
  Slice slice{chunk_, chunk_.data() + begin_, n};
  begin_ += n;
  return slice;
}

std::span<char> InBuffer::room(bool large) {
  const std::string_view left = bytes();
  const Bytes wanted = large ? Chunk::kLargeBlock - 64 : 1;
  if (!chunk_) {
    chunk_ = Chunk::make(wanted);
  } else if (chunk_.is_shared()) {
    // Others still look at what we gave them. Go on behind it while there is a good deal of room, else in a new chunk.
    if (end_ + 1024 > chunk_.capacity() || (large && left.empty())) move_to(Chunk::make(std::max(wanted, left.size() * 2)));
  } else if (left.empty()) {
    begin_ = end_ = 0;
    if (large && chunk_.capacity() < wanted) chunk_ = Chunk::make(wanted);
  } else if (end_ == chunk_.capacity()) {
    if (begin_ == 0) {
      move_to(Chunk::make(chunk_.capacity() * 2));
    } else {
      std::memmove(chunk_.data(), left.data(), left.size());
      begin_ = 0;
      end_ = left.size();
    }
  }
  return {chunk_.data() + end_, chunk_.capacity() - end_};
}

void InBuffer::move_to(Chunk next) {
  const std::string_view left = bytes();
  if (!left.empty()) std::memcpy(next.data(), left.data(), left.size());
  begin_ = 0;
  end_ = left.size();
  chunk_ = std::move(next);
}

void ByteQueue::append(Slice slice) {
  if (slice.size == 0) return;
  // A short piece is cheaper copied than carried: it saves an iovec and frees its chunk.
  if (slice.size <= 1024) return append_copy(slice.view());
  append_carried(std::move(slice));
}

void ByteQueue::append_carried(Slice slice) {
  if (slice.size == 0) return;
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

std::size_t ByteQueue::front(std::span<iovec> into, Bytes most) const {
  std::size_t filled = 0;
  for (std::size_t i = first_; i < slices_.size() && filled < into.size() && most > 0; ++i) {
    const Bytes n = std::min(slices_[i].size, most);
    into[filled++] = {const_cast<char*>(slices_[i].data), n};
    most -= n;
  }
  return filled;
}

Slice ByteQueue::at(Bytes offset) const {
  for (std::size_t i = first_; i < slices_.size(); ++i) {
    const Slice& slice = slices_[i];
    if (offset < slice.size) return {slice.chunk, slice.data + offset, slice.size - offset};
    offset -= slice.size;
  }
  return {};
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
