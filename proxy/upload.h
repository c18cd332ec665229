// The request body on its way to the worker: what has come from the client, what of it is encoded for the worker, what the
// worker's socket has taken. Kept from the start while another attempt may need it, so that start() can begin again.
// Bounded by its caller: buffer_body while it is gathered, then a file, or the credit that the client gets for what has gone.
#pragma once
#include <cstdint>
#include <string>

#include "proxy/spool_file.h"
#include "runtime/buffer.h"
#include "upstream/connection.h"

namespace proxy {

class Upload {
 public:
  /// How the body stands on the worker's wire.
  enum class Wire : std::uint8_t {
    kNone,     ///< there is none
    kPlain,    ///< as it is: its length is known, or it is a tunnel's
    kChunked,  ///< RFC 9112 7.1
    kFrames,   ///< docs/worker-protocol.md
  };

  // From the client.

  /// A piece, in order, for which the client has been given credit already.
  void gather(runtime::Slice piece);
  /// A piece, in order; the credit for it comes with take_credit(), when it has gone.
  void add(runtime::Slice piece);
  /// From now on pieces go into this file, by spool(); the credit for them comes with take_credit(), when they are written.
  void use_file(SpoolFile::Handle file) { file_ = std::move(file); }
  void spool(runtime::Slice piece);
  /// Empty: all of it is in memory.
  const SpoolFile* file() const { return file_.get(); }
  bool waits_for_disk() const { return file_ && file_->is_under_way(); }
  /// All of it has come; at once if there is none.
  void finish() { is_whole_ = true; }
  /// Behind the body, on a chunked wire: field lines, each with its CRLF. Before finish().
  void add_trailers(std::string trailers) { trailers_ = std::move(trailers); }
  bool has_trailers() const { return !trailers_.empty(); }
  bool is_whole() const { return is_whole_; }
  /// What is here and not let go yet.
  runtime::Bytes size() const { return body_.size() + (file_ ? file_->size() : 0); }
  /// All that has come is still here: another attempt can start from the beginning.
  bool can_start_again() const { return dropped_ == 0; }
  /// And that is the whole body, so that its length is known.
  bool is_here_whole() const { return is_whole_ && can_start_again(); }

  // To the worker.

  /// An attempt begins: everything that is here is to be sent. The head goes to wire() first.
  void start(Wire wire);
  runtime::ByteQueue& wire() { return to_worker_; }
  /// Puts as much of the body on the wire as there is room for ahead of the socket.
  void fill();
  /// All the rest of it. False: that has not come yet, or is in a file.
  bool fill_all();
  /// What the socket has not taken. The upload is over.
  runtime::ByteQueue take_wire() { return std::exchange(to_worker_, {}); }
  /// Lets the socket take what it will, and fills up.
  void flush(upstream::Connection& connection);
  /// Bytes of head and body that write() took in this attempt.
  runtime::Bytes accepted() const { return accepted_; }
  /// Nothing is left for the worker's socket: sent, or nobody reads it.
  bool has_drained() const { return to_worker_.is_empty(); }
  /// The worker has had all of it.
  bool is_sent() const { return is_end_encoded_ && to_worker_.is_empty() && !has_failed_; }
  /// The client owes us the next piece: all that came is with the worker.
  bool waits_for_client() const { return !is_whole_ && to_worker_.is_empty() && !has_failed_; }
  /// Body bytes that have gone, to the worker or to the file, since the last call: the client may send as many again.
  runtime::Bytes take_credit();

  /// The answer has begun, so this will not be sent again: what has gone needs no place any more.
  void let_go();
  /// From now on bytes without an end of their own go through, as they are (kPlain) or in frames.
  void become_tunnel(Wire wire);
  void clear();

 private:
  void fill(runtime::Bytes most);
  void fill_from_file();
  void drop_gone();
  bool is_encoded() const;
  void encode(const runtime::Slice& piece);
  void encode_end();

  runtime::ByteQueue body_;         // gathered, or on its way
  SpoolFile::Handle file_;          // what stands behind body_; empty: nothing
  runtime::Bytes encoded_ = 0;      // how much of body_ is in to_worker_ or gone
  runtime::Bytes dropped_ = 0;      // how much was let go
  runtime::Bytes uncredited_ = 0;   // received by add() or spool(), and not yet part of take_credit()
  runtime::ByteQueue to_worker_;    // encoded, not yet accepted by the worker's socket
  std::string trailers_;
  runtime::Bytes accepted_ = 0;
  Wire wire_ = Wire::kNone;
  bool is_whole_ = false;
  bool is_end_encoded_ = false;
  bool is_answered_ = false;        // let_go() was called
  bool has_failed_ = false;
};

}  // namespace proxy
