#include "upstream/inquest.h"

#include <algorithm>

#include "upstream/dispatch.h"

namespace upstream {

void Inquest::open(Desk& desk, WorkerId worker) {
  close();
  desk_ = &desk;
  worker_ = worker;
  desk.inquests_.push_back(this);
}

void Inquest::close() {
  if (desk_ != nullptr) std::erase(std::exchange(desk_, nullptr)->inquests_, this);
}

/// One after the other, looked up each time: what one does may end another one.
void Desk::tell_inquests(WorkerId worker) {
  for (;;) {
    const auto found = std::find_if(inquests_.begin(), inquests_.end(),
                                    [worker](const Inquest* inquest) { return inquest->worker_ == worker; });
    if (found == inquests_.end()) return;
    Inquest& inquest = **found;
    inquest.close();
    inquest.on_word_();
  }
}

}  // namespace upstream
