#include "proxy/upload.h"

#include "upstream/request_writer.h"
#include "upstream/worker_protocol.h"

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::Io;
using runtime::Slice;

// Encoded for the worker and waiting in our memory, at most. Past it the client is not read.
constexpr Bytes kSendAhead = 64 * 1024;
constexpr Bytes kPiece = runtime::Chunk::kLargeBlock - 64;  // of the file: in one chunk, and in one frame to our own worker

}  // namespace

void Upload::gather(Slice piece) { body_.append(std::move(piece)); }

void Upload::add(Slice piece) {
  uncredited_ += piece.size;
  gather(std::move(piece));
}

void Upload::spool(Slice piece) {
  uncredited_ += piece.size;
  file_->append(std::move(piece));
}

void Upload::start(Wire wire) {
  wire_ = wire;
  to_worker_.clear();
  accepted_ = 0;
  has_failed_ = false;
  encoded_ = 0;
  if (file_) file_->rewind();
  is_end_encoded_ = wire == Wire::kNone;
}

void Upload::fill() { fill(kSendAhead); }

bool Upload::fill_all() {
  fill(SIZE_MAX);
  return is_end_encoded_;
}

void Upload::fill(Bytes most) {
  while (encoded_ < body_.size() && to_worker_.size() < most && !has_failed_) {
    const Slice piece = body_.at(encoded_);
    encoded_ += piece.size;
    encode(piece);
  }
  if (has_failed_) encoded_ = body_.size();  // nobody reads it: let it go
  if (file_ && encoded_ == body_.size() && !has_failed_) fill_from_file();
  if (is_whole_ && !is_end_encoded_ && is_encoded()) {
    is_end_encoded_ = true;
    if (!has_failed_) encode_end();
  }
  if (is_answered_ || !is_here_whole()) drop_gone();
}

/// One piece is on its way at a time: meanwhile the worker has what its socket took.
void Upload::fill_from_file() {
  if (const Slice piece = file_->take_piece(); piece.size > 0) encode(piece);
  if (to_worker_.is_empty() && file_->unread() > 0) file_->read_on(kPiece);
}

bool Upload::is_encoded() const {
  return encoded_ == body_.size() && (!file_ || has_failed_ || file_->unread() == 0);
}

void Upload::encode(const Slice& piece) {
  switch (wire_) {
    case Wire::kNone:
    case Wire::kPlain:
      return to_worker_.append(piece);
    case Wire::kChunked:
      return upstream::write_chunk(piece, to_worker_);
    case Wire::kFrames:
      return upstream::write_body_frame(piece, false, to_worker_);
  }
}

void Upload::encode_end() {
  if (wire_ == Wire::kChunked) upstream::write_last_chunk(trailers_, to_worker_);
  if (wire_ == Wire::kFrames) upstream::write_body_frame({}, true, to_worker_);
}

void Upload::flush(upstream::Connection& connection) {
  for (;;) {
    const Bytes before = to_worker_.size();
    const Io io = connection.flush(to_worker_);
    accepted_ += before - to_worker_.size();
    if (io == Io::kFailed) {
      // It may have answered before it stopped reading (413, say): what it said is still to be read; else comes its end.
      has_failed_ = true;
      to_worker_.clear();
      return connection.watch().want_write(false);
    }
    connection.watch().want_write(io == Io::kWant);
    if (io == Io::kWant || is_encoded()) return;
    fill();
    if (to_worker_.is_empty()) return;
  }
}

Bytes Upload::take_credit() {
  const Bytes waiting = file_ ? file_->unwritten() : body_.size() - encoded_;
  if (uncredited_ <= waiting) return 0;
  const Bytes gone = uncredited_ - waiting;
  uncredited_ = waiting;
  return gone;
}

void Upload::let_go() {
  is_answered_ = true;
  drop_gone();
}

void Upload::drop_gone() {
  if (file_ && is_encoded()) {
    dropped_ += file_->size();
    file_.reset();
  }
  if (encoded_ == 0) return;
  body_.drop(encoded_);
  dropped_ += encoded_;
  encoded_ = 0;
}

void Upload::become_tunnel(Wire wire) {
  is_whole_ = false;
  is_end_encoded_ = wire == Wire::kPlain;
  wire_ = wire;
}

void Upload::clear() {
  body_.clear();
  file_.reset();
  to_worker_.clear();
  trailers_.clear();
  encoded_ = dropped_ = uncredited_ = accepted_ = 0;
  is_whole_ = is_end_encoded_ = is_answered_ = has_failed_ = false;
  wire_ = Wire::kNone;
}

}  // namespace proxy
