// Bytes on their way: pooled chunks, slices of them, and queues of slices. No copy where a slice will do, no allocation
// where the pool has a chunk. All of it belongs to one thread: the pool is thread-local and references are not atomic.
#pragma once
#include <sys/uio.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/bytes.h"

namespace runtime {

/// What all buffers of this thread hold now, in bytes.
Bytes buffered_bytes();

/// A counted reference to a block of memory: 16 or 64 KiB from the pool, or other sizes, made to order. Empty or valid.
class Chunk {
 public:
  static constexpr Bytes kBlock = 16 * 1024;
  static constexpr Bytes kLargeBlock = 64 * 1024;

  Chunk() = default;
  /// At least `capacity` bytes, unshared.
  static Chunk make(Bytes capacity = 0);
  Chunk(const Chunk& other) : block_(other.block_) { if (block_ != nullptr) ++block_->references; }
  Chunk(Chunk&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Chunk& operator=(Chunk other) noexcept { std::swap(block_, other.block_); return *this; }
  ~Chunk() { if (block_ != nullptr && --block_->references == 0) give_back(block_); }

  explicit operator bool() const { return block_ != nullptr; }
  char* data() const { return static_cast<char*>(static_cast<void*>(block_ + 1)); }
  Bytes capacity() const { return block_->capacity; }
  bool is_shared() const { return block_->references > 1; }

 private:
  struct Block {
    Block* next_free;
    std::uint32_t references;
    std::uint32_t capacity;
  };
  friend struct Pool;
  static void give_back(Block*);
  Block* block_ = nullptr;
};

/// Some bytes of a chunk, and the reference that keeps them. An empty slice may have no chunk.
struct Slice {
  Chunk chunk;
  const char* data = nullptr;
  Bytes size = 0;

  std::string_view view() const { return {data, size}; }
};

/// Input that a parser reads: one contiguous run of bytes, consumed at the front, filled at the back.
class InBuffer {
 public:
  std::string_view bytes() const { return {chunk_ ? chunk_.data() + begin_ : nullptr, end_ - begin_}; }
  bool is_empty() const { return begin_ == end_; }
  void consume(Bytes n) { begin_ += n; }
  /// The next n bytes as a slice that keeps them; consumed.
  Slice take(Bytes n);
  /// Without `skipped` bytes the next n, moved up against `before`, which was taken since the last room() and grows by them.
  void take_into(Slice& before, Bytes skipped, Bytes n);

  /// Room to read into: at least 1 byte. What is there already stays contiguous (it is moved, to a larger chunk if
  /// need be, when the chunk is full or shared), so views into bytes() are valid only until the next room().
  /// A caller bounds its input by looking at bytes().size() first.
  /// `large`: 64 KiB where there is nothing to keep contiguous, for long bodies.
  std::span<char> room(bool large = false);
  void added(Bytes n) { end_ += n; }

  /// Keeps the memory alive for views into it, whatever this buffer does next.
  Chunk chunk() const { return chunk_; }
  /// Gives the memory back; only when empty.
  void rest() { if (is_empty()) clear(); }
  void clear() { chunk_ = Chunk(); begin_ = end_ = 0; }

 private:
  void move_to(Chunk next);
  Chunk chunk_;
  Bytes begin_ = 0, end_ = 0;
};

inline void InBuffer::take_into(Slice& before, Bytes skipped, Bytes n) {
  char* const to = chunk_.data() + (before.data - chunk_.data()) + before.size;
  const char* const from = chunk_.data() + begin_ + skipped;
  std::memmove(to, from, n);
  before.size += n;
  begin_ += skipped + n;
}

/// Output in order: slices, and small things copied behind each other into chunks of its own.
class ByteQueue {
 public:
  bool is_empty() const { return size_ == 0; }
  Bytes size() const { return size_; }

  void append(Slice slice);
  /// The same, but never copied: for a piece whose chunk is shared by many, see proxy/h2_stream.cpp.
  void append_carried(Slice slice);
  void append_copy(std::string_view bytes);
  /// At least n contiguous bytes to write a head into; then wrote(). n is at most Chunk::kBlock.
  char* reserve(Bytes n);
  void wrote(Bytes n);

  /// The front as buffers for writev(2), at most `most` bytes in all; returns how many were filled.
  std::size_t front(std::span<iovec> into, Bytes most = SIZE_MAX) const;
  /// The slice that holds the byte at `offset`, from that byte to the slice's end.
  Slice at(Bytes offset) const;
  /// Copies from the front, up to n bytes; returns how many. Does not drop them.
  Bytes peek(char* into, Bytes n) const;
  void drop(Bytes n);
  /// The first slice, whole, taken out.
  Slice take_first();
  void clear();

 private:
  std::vector<Slice> slices_;  // from first_ on; the rest are taken
  std::size_t first_ = 0;
  Bytes size_ = 0;
  Chunk tail_;                 // where small things are copied; its free part is ours alone
  Bytes tail_used_ = 0;
};

}  // namespace runtime
