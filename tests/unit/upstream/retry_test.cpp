// The retry rule of docs/design.md, row by row.
#include "upstream/retry.h"

#include <doctest/doctest.h>

using upstream::Attempt;
using upstream::decide;
using upstream::Verdict;

namespace {
constexpr Attempt kSafe{.attempts = 1, .is_idempotent = true, .accepted = 100};
constexpr Attempt kUnsafe{.attempts = 1, .is_idempotent = false, .accepted = 100};

constexpr Attempt with(Attempt attempt, auto change) {
  change(attempt);
  return attempt;
}
}  // namespace

TEST_CASE("an idempotent request is tried once more") {
  CHECK(decide(kSafe) == Verdict::kRetry);
}

TEST_CASE("one that may have run and is not idempotent is not") {
  CHECK(decide(kUnsafe) == Verdict::kMayHaveRun);
}

TEST_CASE("whatever the method, if the worker cannot have run it") {
  CHECK(decide(with(kUnsafe, [](Attempt& a) { a.connect_failed = true; })) == Verdict::kRetry);
  CHECK(decide(with(kUnsafe, [](Attempt& a) { a.was_not_taken = true; })) == Verdict::kRetry);
  CHECK(decide(with(kUnsafe, [](Attempt& a) { a.accepted = 0; })) == Verdict::kRetry);
  CHECK(decide(with(kUnsafe, [](Attempt& a) { a.accepted = 1; })) == Verdict::kMayHaveRun);
}

TEST_CASE("never a third time, never behind a begun answer, never without its body") {
  for (const Attempt& attempt : {kSafe, with(kUnsafe, [](Attempt& a) { a.accepted = 0; }),
                                 with(kUnsafe, [](Attempt& a) { a.connect_failed = true; }),
                                 with(kUnsafe, [](Attempt& a) { a.was_not_taken = true; })}) {
    CHECK(decide(with(attempt, [](Attempt& a) { a.attempts = 2; })) == Verdict::kTriedTwice);
    CHECK(decide(with(attempt, [](Attempt& a) { a.attempts = 3; })) == Verdict::kTriedTwice);
    CHECK(decide(with(attempt, [](Attempt& a) { a.answer_begun = true; })) == Verdict::kAnswerBegun);
    CHECK(decide(with(attempt, [](Attempt& a) { a.body_is_here = false; })) == Verdict::kBodyGone);
  }
}

TEST_CASE("in flight at two unexplained deaths it is an incident, whatever else would be said of it") {
  CHECK(decide(with(kSafe, [](Attempt& a) { a.deaths = 1; })) == Verdict::kRetry);
  CHECK(decide(with(kUnsafe, [](Attempt& a) { a.deaths = 1; })) == Verdict::kMayHaveRun);
  for (const Attempt& attempt : {kSafe, kUnsafe, with(kSafe, [](Attempt& a) { a.body_is_here = false; })}) {
    const Attempt second = with(attempt, [](Attempt& a) { a.attempts = a.deaths = 2; });
    CHECK(decide(second) == Verdict::kIncident);
    CHECK(decide(with(second, [](Attempt& a) { a.deaths = 1; })) == Verdict::kTriedTwice);
    CHECK(decide(with(second, [](Attempt& a) { a.answer_begun = true; })) == Verdict::kAnswerBegun);
  }
}

TEST_CASE("each verdict has its reason in words") {
  for (const Verdict verdict : {Verdict::kRetry, Verdict::kAnswerBegun, Verdict::kIncident,
                                Verdict::kTriedTwice, Verdict::kMayHaveRun, Verdict::kBodyGone}) {
    CHECK_FALSE(reason(verdict).empty());
  }
}
