// Asks the program at a path whether it could go on in our place: it is started as `PATH check --state FD`, reads
// what would be handed on as it would adopt it, and says "portherd VERSION" and exits with 0, or says why not.
// Nothing depends on it yet, so whatever it does is only an answer. The other side: commands/check.cpp.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/loop.h"
#include "runtime/result.h"
#include "supervisor/reap.h"

namespace supervisor {

class Judge {
 public:
  static constexpr runtime::Milliseconds kPatience{10'000};
  /// Its version, "0.1.1", or why it cannot. Called from the loop, once, as the last.
  using OnJudged = std::function<void(runtime::Result<std::string>)>;

  /// `state`: the text, in memory. Errors: nobody can execute what lies at `path`, or it cannot be forked.
  static runtime::Result<std::unique_ptr<Judge>> begin(Reaper& reaper, const std::string& path,
                                                       const runtime::Fd& state, OnJudged on_judged);

 private:
  Judge(Reaper& reaper, std::string path, Spawned spawned, runtime::Fd out, runtime::Fd err, OnJudged on_judged);
  void on_exited(const Exit& exit);
  void on_deadline();

  const std::string path_;
  Child child_;
  runtime::Fd out_, err_;
  OnJudged on_judged_;
  bool is_too_late_ = false;
  runtime::Timer deadline_;
};

/// What it means that the program at `path` has ended so, and said this on its two outputs. Pure.
runtime::Result<std::string> verdict_of(const std::string& path, const Exit& exit, std::string_view out,
                                        std::string_view err);

}  // namespace supervisor
