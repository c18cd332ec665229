#include "supervisor/stack_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "upstream/orders.h"

namespace supervisor {
namespace {

constexpr int kReadsOfThePast = 4;  // a pipe holds 64 KiB

// 0: the worker has closed its end; negative: there is nothing now.
ssize_t read_into(std::string& text, int fd) {
  char buffer[16384];
  const ssize_t n = ::read(fd, buffer, sizeof buffer);
  if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  return n;
}

}  // namespace

runtime::Result<StackPipe::Ends> StackPipe::make() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return runtime::fail(runtime::Code::kSystem, "cannot make a pipe for stacks", errno);
  }
  return Ends{runtime::Fd(ends[0]), runtime::Fd(ends[1])};
}

StackPipe::StackPipe(runtime::Loop& loop, runtime::Fd ours, runtime::Call<const std::string&> on_text)
    : loop_(loop),
      fd_(std::move(ours)),
      on_text_(on_text),
      watch_(loop, fd_.get(), runtime::bind<&StackPipe::on_readable>(this)),
      end_(loop, runtime::bind<&StackPipe::finish>(this)) {}

void StackPipe::begin() {
  for (int i = 0; i < kReadsOfThePast && read_into(text_, fd_.get()) > 0; ++i) {
  }
  text_.clear();
  patient_until_ = loop_.now() + kPatience;
  end_.arm_at(patient_until_);
  watch_.want_read(true);
}

void StackPipe::on_readable() {
  const ssize_t n = read_into(text_, fd_.get());
  if (n == 0 || text_.size() >= upstream::kMostStack) return finish();
  end_.arm_at(std::min(loop_.now() + kSilence, patient_until_));
}

void StackPipe::finish() {
  if (!is_reading()) return;
  end_.cancel();
  watch_.want_read(false);
  if (text_.size() < upstream::kMostStack) read_into(text_, fd_.get());
  text_.resize(std::min(text_.size(), upstream::kMostStack));
  on_text_(text_);
}

}  // namespace supervisor
