// How an exchange ended: whose doing it was, and why, in the words of the access log.
#pragma once
#include <cstdint>
#include <string_view>

namespace proxy {

enum class Fault : std::uint8_t { kNobody, kClient, kApp, kUs };

struct Outcome {
  Fault fault = Fault::kNobody;
  std::string_view cause;  ///< a literal; empty with kNobody
  bool operator==(const Outcome&) const = default;
};

inline constexpr Outcome kOk{};
inline constexpr Outcome kClientGone{Fault::kClient, "client went away"};
inline constexpr Outcome kQueueFull{Fault::kUs, "queue is full"};
inline constexpr Outcome kQueueTimeout{Fault::kUs, "no worker in time"};
inline constexpr Outcome kNotBooted{Fault::kApp, "app does not start"};
inline constexpr Outcome kMaintenance{Fault::kNobody, "app is down for maintenance"};
inline constexpr Outcome kStopped{Fault::kNobody, "app was stopped"};
inline constexpr Outcome kAppGone{Fault::kUs, "app was taken away by a reload"};
inline constexpr Outcome kCannotConnect{Fault::kApp, "worker does not take connections"};
inline constexpr Outcome kWorkerLost{Fault::kApp, "worker closed the connection before it answered"};
inline constexpr Outcome kIncident{Fault::kApp, "two workers died with it in flight"};
inline constexpr Outcome kAnswerTimeout{Fault::kApp, "worker did not answer in time"};
inline constexpr Outcome kAnswerCut{Fault::kApp, "worker closed the connection in the middle of its answer"};
inline constexpr Outcome kAnswerSilent{Fault::kApp, "worker fell silent in the middle of its answer"};
inline constexpr Outcome kOutOfTime{Fault::kApp, "total_timeout was over"};
inline constexpr Outcome kStreamSilent{Fault::kClient, "stream was silent for too long"};
inline constexpr Outcome kNoSuchHost{Fault::kClient, "no app has this host"};
inline constexpr Outcome kBodyTooLarge{Fault::kClient, "body is larger than max_body"};
inline constexpr Outcome kBodyTimeout{Fault::kClient, "body came too slowly"};
inline constexpr Outcome kExpectationFailed{Fault::kClient, "unknown expectation"};
inline constexpr Outcome kBadMaxForwards{Fault::kClient, "Max-Forwards is not one number"};
inline constexpr Outcome kMethodRefused{Fault::kClient, "method is refused"};
inline constexpr Outcome kNotSecured{Fault::kClient, "https was asked for on a connection without TLS"};
inline constexpr Outcome kPlainRefused{Fault::kClient, "app is not served without TLS"};
inline constexpr Outcome kBadAnswer{Fault::kApp, "worker sent what is not an answer"};
inline constexpr Outcome kBadTarget{Fault::kClient, "target cannot be an environment"};
inline constexpr Outcome kDiskTimeout{Fault::kUs, "disk did not answer in time"};
inline constexpr Outcome kTooManyFiles{Fault::kUs, "too many files are being sent"};
inline constexpr Outcome kFileCut{Fault::kUs, "file became shorter while it was sent"};
inline constexpr Outcome kSpoolFull{Fault::kUs, "spool_disk is used up"};
inline constexpr Outcome kTooManySpooled{Fault::kUs, "too many temporary files are in use"};
inline constexpr Outcome kNotSpooled{Fault::kUs, "disk does not take what is too much for memory"};
inline constexpr Outcome kSpoolLost{Fault::kUs, "disk does not give back what it took"};
inline constexpr Outcome kDrained{Fault::kUs, "drain_timeout was over"};
inline constexpr Outcome kRetired{Fault::kUs, "graceful_timeout of its worker was over"};
inline constexpr Outcome kRestarted{Fault::kNobody, "WebSocket was closed for a restart"};

}  // namespace proxy
