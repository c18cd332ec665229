// A reload: from the changed file to a herd that is as it says, all or nothing (docs/design.md, "Reload"). The steps: read the
// file beside what stands, and compare (conf/diff.h); open what it names, beside what is open (ground.h); have the front take
// it over, which is the point of no return; then app by app, those that go, those that come, and those whose workers have to
// be others. Until the front has said yes every failure leaves all as it was. What is not another setting is not touched.
//
// One at a time, when the front is settled. Who orders one meanwhile waits for the next, which reads the file as it is by then, once
// for all who wait. Who ordered it hears what changes, how far it is, and the result.
#pragma once
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conf/diff.h"
#include "supervisor/asker.h"
#include "supervisor/certificate_watch.h"
#include "supervisor/front.h"
#include "supervisor/ground.h"
#include "supervisor/groups.h"
#include "supervisor/service_notify.h"

namespace supervisor {

/// What has to be done for an app.
enum class AppStep {
  kNothing,
  kAmend,    ///< its settings change, none of its workers does
  kRelease,  ///< its workers are replaced
  kRenew,    ///< it is another kind of app by the same name: that one goes, and this one comes
};
/// Pure.
AppStep step_for(const conf::App& now, const conf::App& next, const std::vector<conf::Change>& changes);

/// The settings as they are to be compared with what a file says: what each app's workers go by counts, which may be behind.
conf::Settings as_compared(conf::Settings now, const Groups& groups);
/// What a file says, but for what only a restart can bring: that is as it is `now`.
conf::Settings without_restart(conf::Settings next, const conf::Settings& now);

class Reload {
 public:
  /// Apps that roll or start at the same time: each has max_surge workers more than it needs meanwhile.
  static constexpr std::size_t kMostAtOnce = 4;

  /// All outlive it.
  Reload(runtime::Loop& loop, Ground& ground, const Options& options, Groups& groups, Front& front, const ServiceNotify& service);

  /// Answers the asker when it is in force, or has failed: kConfig the file has problems, or names what cannot be had, and
  /// nothing has changed; kSystem an app did not become ready, the rest is in force; or as it says.
  void order(const Asker& asker);
  /// The first front accepts: from now on certificates that change in their folder are in force by themselves, a moment later.
  void watch_certificates() { certificates_.look_at(ground_.settings.tls.certificates); }
  bool is_under_way() const { return is_under_way_; }
  /// Everything is ending.
  void abandon();

  /// What order() would change. Errors: kConfig, the file has problems.
  runtime::Result<std::vector<conf::Change>> plan() const;
  /// Why the app does not go by the settings that were reloaded last; empty: it does.
  std::string why_behind(const Group& group) const;
  saved::Reload save() const;
  /// Of the program before us; before anything is ordered.
  void adopt(const saved::Reload& saved);

 private:
  struct Step {
    upstream::AppIndex app;
    bool is_new;
  };

  void begin(std::vector<Asker> askers);
  void on_front_settled();
  runtime::Result<conf::Settings> read() const;
  runtime::Result<void> stage();
  runtime::Result<std::vector<upstream::AppIndex>> indexes_for(const conf::Settings& next) const;
  bool keeps_index(const Group& group, const conf::App& next) const;
  bool is_free(std::size_t index) const;
  runtime::Result<void> put_in_force();
  void swap_grounds();
  void on_front_answered(const runtime::Result<void>& how);
  void let_go();

  void turn_apps();
  void dismiss_apps_that_go();
  void turn_app(std::size_t place);
  void take_steps();
  void take(const Step& step);
  ReleaseCalls calls_for(const std::string& app);
  void end_apps();
  void on_app_done(const std::string& app, const runtime::Result<void>& how);

  void on_certificates_changed();
  void tell_certificates();
  void on_certificates_answered(const runtime::Result<void>& how);
  void say(const std::string& sentence);
  void end(const runtime::Result<void>& how);
  void go_on();

  Ground& ground_;
  const Options& options_;
  Groups& groups_;
  Front& front_;
  const ServiceNotify& service_;
  std::size_t unused_;                   // indexes from here on no app has had
  bool is_under_way_ = false;
  bool is_over_ = false;                 // abandon() was said
  std::vector<Asker> askers_;            // of the one that is under way
  std::vector<Asker> waiting_;           // of the next one; empty: none is wanted
  std::optional<Ground> staged_;         // until the front has taken it over; then, for a moment, what stood before
  bool takes_another_front_ = false;     // the grounds have been swapped, and are swapped back if it does not start
  std::vector<conf::Change> changes_;
  std::deque<Step> steps_;               // not begun
  std::size_t steps_under_way_ = 0;
  std::vector<std::string> failures_;    // a sentence for each app
  std::map<std::string, std::string> behind_;  // why a release of this app has failed last; it may have gone well since
  CertificateWatch certificates_;
};

}  // namespace supervisor
