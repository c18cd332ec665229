// A file as the answer to one request: what look_up() found becomes a head, and what is read becomes a body.
// The exchange owns it and decides when the client is to hear what. What waits for the disk:
// proxy/file_reader.h.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "proxy/file_reader.h"
#include "proxy/outcome.h"
#include "runtime/clock.h"
#include "upstream/message.h"

namespace proxy {

class FileAnswer {
 public:
  /// `on_ready` comes from the loop, once for look_up() and once for each read_on(). `count` is of those that
  /// live on this thread. `root`: see Site.
  FileAnswer(runtime::DiskDesk& desk, int root, std::size_t& count, runtime::Call<> on_ready);
  /// What is under way on the disk comes to its end, unheard.
  ~FileAnswer();
  FileAnswer(const FileAnswer&) = delete;
  FileAnswer& operator=(const FileAnswer&) = delete;

  /// `name` is of file_path(), `request` for GET or HEAD. `now` is the time of the request.
  void look_up(const upstream::RequestHead& request, const std::string& folder, std::string name,
               runtime::WallTime now);
  bool is_waiting() const { return reader_->errand().is_under_way(); }

  /// 200, 206 and 304 are a file's: head() is the answer. 308: the client wants a folder and has forgotten
  /// the "/"; 416: of size() bytes none is in the range; 403, 404, 412 and 500 say it all.
  std::uint16_t status() const;
  /// Why it is none of the good ones, if somebody should know.
  Outcome outcome() const;
  std::uint64_t size() const { return reader_->finding().facts.size; }
  /// Valid as long as this object.
  const upstream::ResponseHead& head();

  /// The piece that was read last; empty: there is none.
  runtime::Slice take_piece() { return reader_->take_piece(); }
  bool is_whole() const { return reader_->left() == 0; }
  void read_on() { reader_->read_on(); }

 private:
  void add(std::string_view name, std::string_view value, upstream::FieldId id = upstream::FieldId::kOther);

  std::size_t& count_;
  std::unique_ptr<FileReader> reader_;
  upstream::Method method_ = upstream::Method::kGet;
  upstream::ResponseHead head_;
  std::string length_, range_;  // what head_ looks into
};

}  // namespace proxy
