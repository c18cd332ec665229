// The exchange where one of the app's [[routes]] has the path: the same story, and no worker in it.
#include "proxy/exchange.h"
#include "proxy/file_path.h"
#include "proxy/front_thread.h"
#include "proxy/redirect.h"

namespace proxy {

using runtime::Slice;
using upstream::Framing;
using upstream::Method;

/// True: the app is not asked.
bool Exchange::answer_by_route() {
  if (match_ && !match_->route->files.empty()) {
    look_up_file(*match_);
  } else if (match_ && !match_->route->redirect.empty()) {
    redirect(*match_);
  } else if (app().kind() == conf::AppKind::kNone) {
    answer_ourselves(404, kOk);
  } else {
    return false;
  }
  return true;
}

void Exchange::redirect(const conf::RouteMatch& match) {
  OwnAnswer answer(static_cast<std::uint16_t>(match.route->status), request_.method);
  answer.location(redirect_target(*match.route, match.rest, request_.query));
  say(answer);
  end(kOk);
}

void Exchange::look_up_file(const conf::RouteMatch& match) {
  if (request_.method != Method::kGet && request_.method != Method::kHead) {
    OwnAnswer answer(405, request_.method);
    answer.allow("GET, HEAD");
    say(answer);
    return end(kMethodRefused);
  }
  auto name = file_path(match.below());
  if (!name) return answer_ourselves(404, kOk);
  if (thread_.open_files() >= thread_.site().max_files) return answer_ourselves(503, kTooManyFiles);
  phase_ = Phase::kFile;
  file_ = std::make_unique<FileAnswer>(thread_.disk(), thread_.site().root.get(), thread_.open_files(),
                                       runtime::bind<&Exchange::on_file>(this));
  file_->look_up(request_, match.route->files, std::move(*name), record_.began_wall);
  arm_deadline();
}

/// The disk has answered, from the loop.
void Exchange::on_file() {
  if (!head_sent_ && !begin_file()) return;
  if (Slice piece = file_->take_piece(); piece.size > 0) {
    record_.sent += piece.size;
    stream_->send_body(std::move(piece));
  } else if (!file_->is_whole()) {
    return answer_ourselves(500, kFileCut);
  }
  if (!file_->is_whole()) return read_file_on();
  stream_->end_body({});
  end(kOk);
}

/// False: the answer is another one, and has been given.
bool Exchange::begin_file() {
  record_.first_byte = thread_.loop().now();
  const std::uint16_t status = file_->status();
  if (status == 200 || status == 206 || status == 304) {
    record_.status = status;
    head_sent_ = true;
    if (!upload_.is_whole() && request_.framing != Framing::kNone) stream_->stop_body();
    stream_->send_head(file_->head());
    return true;
  }
  OwnAnswer answer(status, request_.method);
  if (status == 308) answer.location(folder_target(request_.path, request_.query));
  if (status == 416) answer.unsatisfied_range(file_->size());
  say(answer);
  end(file_->outcome());
  return false;
}

/// One piece is read ahead of what the client takes, and only if it takes.
void Exchange::read_file_on() {
  if (!file_->is_waiting() && stream_->unsent() < ClientStream::kHighMark) file_->read_on();
  arm_deadline();
}

}  // namespace proxy
