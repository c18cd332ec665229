// Whether a request that has failed at one worker may be given to another (docs/design.md, "Retry"). One pure
// function.
#pragma once
#include <cstdint>
#include <string_view>

#include "runtime/bytes.h"

namespace upstream {

/// How the last attempt ended, and what is still in our hands.
struct Attempt {
  unsigned attempts = 1;        ///< so far, this one among them; without those that got no connection
  bool is_idempotent = false;   ///< the method's: RFC 9110 9.2.2
  bool connect_failed = false;  ///< the worker took no connection
  bool was_not_taken = false;   ///< our own worker said that it will not run it
  std::uint64_t accepted = 0;   ///< bytes of it that write() took
  bool answer_begun = false;    ///< a byte of the final answer has gone to the client
  bool body_is_here = true;     ///< all of the body that has come so far can be sent again
  unsigned deaths = 0;          ///< of workers that had it in flight and ended although nobody had asked for it
};

/// A request is given to a worker so often at most: once more than once.
inline constexpr unsigned kMostAttempts = 2;
/// In flight at so many unexplained deaths, it is taken for their cause.
inline constexpr unsigned kMostDeaths = 2;

enum class Verdict : std::uint8_t {
  kRetry,
  kAnswerBegun,  ///< what the client has cannot be taken back
  kIncident,     ///< a request that kills workers must not reach them all
  kTriedTwice,   ///< once on another worker, not more
  kMayHaveRun,   ///< EOF and ECONNRESET prove nothing about a POST
  kBodyGone,     ///< part of the body was streamed and let go
};

constexpr Verdict decide(const Attempt& attempt) {
  if (attempt.answer_begun) return Verdict::kAnswerBegun;
  if (attempt.deaths >= kMostDeaths) return Verdict::kIncident;
  if (attempt.attempts >= kMostAttempts) return Verdict::kTriedTwice;
  const bool has_not_run = attempt.connect_failed || attempt.was_not_taken || attempt.accepted == 0;
  if (!has_not_run && !attempt.is_idempotent) return Verdict::kMayHaveRun;
  if (!attempt.body_is_here) return Verdict::kBodyGone;
  return Verdict::kRetry;
}

constexpr std::string_view reason(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRetry:
      return "may be repeated";
    case Verdict::kAnswerBegun:
      return "the answer has begun";
    case Verdict::kIncident:
      return "two workers have died with it";
    case Verdict::kTriedTwice:
      return "two workers have had it";
    case Verdict::kMayHaveRun:
      return "it may have been run and is not idempotent";
    case Verdict::kBodyGone:
      return "its body is gone";
  }
  return "";
}

}  // namespace upstream
