#include "proxy/file_answer.h"

#include <fmt/format.h>

#include "proxy/media_type.h"
#include "runtime/clock.h"

namespace proxy {
namespace {

using upstream::FieldId;
using upstream::Framing;
using Kind = FileFinding::Kind;

constexpr Outcome kLeadsOut{Fault::kUs, "link leads out of the folder of files"};
constexpr Outcome kUnreadable{Fault::kUs, "file cannot be read by the front's user"};
constexpr Outcome kDiskFailed{Fault::kUs, "file cannot be opened"};

std::string_view name_of(Coding coding) {
  switch (coding) {
    case Coding::kNone:
      return "";
    case Coding::kBrotli:
      return "br";
    case Coding::kGzip:
      return "gzip";
  }
  return "";
}

}  // namespace

FileAnswer::FileAnswer(runtime::DiskDesk& desk, int root, std::size_t& count, runtime::Call<> on_ready)
    : count_(count), reader_(std::make_unique<FileReader>(desk, root, on_ready)) {
  ++count_;
}

FileAnswer::~FileAnswer() {
  --count_;
  runtime::Errand& errand = reader_->errand();
  runtime::Errand::abandon(std::move(reader_), errand);
}

void FileAnswer::look_up(const upstream::RequestHead& request, const std::string& folder, std::string name,
                         runtime::WallTime now) {
  method_ = request.method;
  FileQuestion& question = reader_->question();
  question.folder = folder;
  question.name = std::move(name);
  question.is_folder = request.path.ends_with('/');
  question.now = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  question.request = FileRequest::of(request);
  reader_->look_up();
}

std::uint16_t FileAnswer::status() const {
  switch (reader_->finding().kind) {
    case Kind::kFile:
      return reader_->finding().verdict.status;
    case Kind::kFolder:
      return 308;
    case Kind::kNothing:
    case Kind::kLeadsOut:
      return 404;
    case Kind::kUnreadable:
      return 403;
    case Kind::kFailed:
      return 500;
  }
  return 500;
}

Outcome FileAnswer::outcome() const {
  switch (reader_->finding().kind) {
    case Kind::kFile:
    case Kind::kFolder:
    case Kind::kNothing:
      return kOk;
    case Kind::kLeadsOut:
      return kLeadsOut;
    case Kind::kUnreadable:
      return kUnreadable;
    case Kind::kFailed:
      return kDiskFailed;
  }
  return kOk;
}

void FileAnswer::add(std::string_view name, std::string_view value, FieldId id) {
  if (!value.empty()) head_.fields.push_back({name, value, id});
}

/// RFC 9110 15.4.5: of the fields that describe the file a 304 has those that a cache needs to find and keep
/// its copy.
const upstream::ResponseHead& FileAnswer::head() {
  const FileFinding& found = reader_->finding();
  head_.clear();
  head_.status = found.verdict.status;
  add("ETag", found.tag);
  add("Last-Modified", found.modified);
  if (found.varies) add("Vary", "Accept-Encoding");
  if (head_.status == 304) return head_;
  add("Content-Type", media_type(reader_->question().name), FieldId::kContentType);
  add("Content-Encoding", name_of(found.facts.coding));
  add("Accept-Ranges", "bytes");
  head_.content_length = found.verdict.size;
  length_ = fmt::to_string(found.verdict.size);
  add("Content-Length", length_, FieldId::kContentLength);
  if (head_.status == 206) {
    range_ = fmt::format("bytes {}-{}/{}", found.verdict.first, found.verdict.first + found.verdict.size - 1,
                         found.facts.size);
    add("Content-Range", range_);
  }
  head_.framing = method_ == upstream::Method::kHead ? Framing::kNone : Framing::kLength;
  return head_;
}

}  // namespace proxy
