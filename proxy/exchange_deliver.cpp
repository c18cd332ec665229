// What of an answer its client does not take at once: kept in memory, then in a file, so that a slow client holds no worker;
// delivered as the client takes it, be the worker still there or not.
#include "proxy/exchange.h"
#include "proxy/front_thread.h"

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::Chunk;
using runtime::Slice;

// Of one answer in memory. One block, and the head, is on nobody's account: most answers are no more, and are taken at once.
constexpr Bytes kMostInMemory = 64 * 1024;
constexpr Bytes kUncounted = Chunk::kBlock + 1024;

// Read from the file at once: with what is left in the stream by then it is kMostInMemory; or where memory is scarce, a block.
constexpr Bytes kPiece = kMostInMemory - ClientStream::kLowMark;
constexpr Bytes kSmallPiece = Chunk::kBlock - 64;

}  // namespace

/// Whether so much more may lie in the stream. What does counts as the answer's until nothing does.
bool Exchange::may_keep(Bytes more) {
  const Bytes unsent = stream_->unsent(), all = unsent + more;
  if (all <= kUncounted) return true;
  return unsent <= ClientStream::kHighMark && all <= kMostInMemory && answer_memory_.grow_to(all);
}

/// 64 KiB at once, for answers that are long and are taken as fast as they come.
bool Exchange::may_read_large() {
  if (stream_->unsent() > 0 || spool_) return false;
  if (reads_large_ && answer_memory_.grow_to(kMostInMemory)) return true;
  answer_memory_.give_back();
  return false;
}

/// Only if what is left of the answer fits, where that is known: else the worker has to wait at its end, and had better wait now.
bool Exchange::may_spool() const {
  if (!may_spool_ || spooled_ >= rules_->spool_answer) return false;
  return answer_.framing != upstream::Framing::kLength ||
         answer_.content_length - record_.sent <= rules_->spool_answer - spooled_;
}

/// False: the worker is not read until the client has taken more, or the disk.
bool Exchange::takes_answer() const {
  if (!spool_) return stream_->unsent() <= ClientStream::kHighMark || may_spool();
  return !spool_->is_under_way() && spool_->fault() == SpoolFile::Fault::kNone && spooled_ < rules_->spool_answer;
}

void Exchange::keep_answer(Slice piece) {
  if (!spool_ && (may_keep(piece.size) || !may_spool() || !begin_spool())) return pass_on(std::move(piece));
  spooled_ += piece.size;
  spool_->append(std::move(piece));
  if (spool_->fault() != SpoolFile::Fault::kNone) deliver();  // at once: nothing may be under way that would tell of it
}

void Exchange::pass_on(Slice piece) {
  record_.sent += piece.size;
  stream_->send_body(std::move(piece));
}

/// False: there are too many files. It is not tried again for this answer.
bool Exchange::begin_spool() {
  spool_ = SpoolFile::make(thread_.spool(), runtime::bind<&Exchange::on_spool>(this));
  may_spool_ = static_cast<bool>(spool_);
  if (spool_) stream_->want_room();
  return may_spool_;
}

/// The disk has taken some of the answer, or given some back; from the loop.
void Exchange::on_spool() {
  deliver();
  go_on_with_answer();
}

/// What cannot be written stays in memory, and the worker waits: nothing is lost. What cannot be read is lost, and so is the answer.
void Exchange::deliver() {
  if (spool_->fault() != SpoolFile::Fault::kNone && std::exchange(may_spool_, false)) tell_spool_fault(*spool_);
  for (Slice piece = spool_->take_piece(); piece.size > 0; piece = spool_->take_piece()) pass_on(std::move(piece));
  if (spool_->unread() == 0) return delivered();
  if (spool_->fault() == SpoolFile::Fault::kUnread) {
    stream_->cut();
    return end(kSpoolLost);
  }
  if (may_keep(kPiece)) return spool_->read_on(kPiece);
  if (may_keep(kSmallPiece)) return spool_->read_on(kSmallPiece);
  stream_->want_room();
}

/// The client has all that the worker has said.
void Exchange::delivered() {
  spool_.reset();
  if (phase_ != Phase::kDeliver && !reader_.body_is_whole()) return;
  tell_answer_end();
  if (phase_ == Phase::kDeliver) end(ending_);
}

/// The worker has said all, and is free; the client has not taken all.
void Exchange::deliver_rest(const Outcome& ending) {
  ending_ = ending;
  phase_ = Phase::kDeliver;
  if (!upload_.is_whole()) stream_->stop_body();
  upload_.clear();
  from_worker_.clear();
  arm_deadline();
}

}  // namespace proxy
