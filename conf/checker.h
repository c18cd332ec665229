// The rules behind check.h, as one class in a file for each thing that they are about: check.cpp (the site: addresses,
// certificates, logs, hosts), check_app.cpp (an app, its processes and services), check_routes.cpp. For these alone.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "conf/load.h"
#include "conf/powers.h"

namespace conf {

/// 0, or the errno that says why we may not do with `path` what `mode` says, access(2).
int why_not(std::string const& path, int mode);
/// The same for a folder: R_OK to list it, X_OK to reach what is in it, W_OK to make a file there.
int why_no_folder(std::string const& path, int mode);
/// The sentence, and what the errno means.
std::string because(std::string sentence, int number);

class Checker {
 public:
  explicit Checker(Loaded& loaded)
      : settings_(loaded.settings),
        origins_(loaded.origins),
        broken_(loaded.broken),
        problems_(loaded.problems) {}

  void run();

 private:
  // check.cpp
  void check_listen();
  struct Bound {
    Address const& address;
    std::string key;
  };
  void check_address(std::string key, Address const& address, std::vector<Bound>& seen);
  void check_proxy_protocol();
  void check_tls();
  void check_control();
  void check_socket_path(std::string_view key, std::string const& path);
  void check_account(std::string_view key, std::string const& user, std::string const& group);
  void check_log(std::string_view key, std::string const& path);
  void check_hosts();
  void check_workers();
  void check_number_of_services();
  void check_spool();
  void check_front_enters(std::string const& key, std::string_view name, std::string const& folder);

  // check_app.cpp
  void check_app(App const& app);
  void check_workers_of(App const& app);
  void check_strict(std::string const& of, App const& process);
  void check_nobody_is_replaced(App const& app);
  void check_nobody_is_bounded(App const& app);
  void check_kind(App const& app);
  void check_stack_signal(App const& app);
  void check_stop_signal(App const& app);
  void check_threads(App const& app);
  void check_services(App const& app);
  void check_service(std::string const& key, App const& app, Service const& service);
  void check_folder(std::string const& of, App const& app);
  void check_program(App const& app);
  void check_preload(App const& app);
  static std::vector<std::string> where_programs_are(std::string const& of);
  void check_executable(std::string const& of, App const& app, std::string_view key, std::string const& name, std::vector<std::string> also = {});
  void check_env_file(std::string const& of, App const& app);

  // check_routes.cpp
  void check_routes(App const& app);
  void check_route(std::string const& key, App const& app, Route const& route);
  void check_what(std::string const& key, App const& app, Route const& route);
  void check_other_app(std::string const& key, App const& app, std::string const& name);
  void check_files(std::string const& key, std::string const& folder);

  // check.cpp: where a key stands, and what is said of it.
  static std::string key_of(App const& app);
  static std::string key_of(App const& app, std::string_view key);
  Origin const* origin_of(std::string_view key) const;
  std::string at(std::string_view key) const;
  void add_reason(std::string_view key, std::string_view name, std::string const& path, int why);
  static bool is_related(std::string_view a, std::string_view b);
  bool is_unknown(std::string_view key) const;
  void add(std::string_view key, std::string sentence, std::vector<std::string> const& also = {});

  Settings const& settings_;
  Origins const& origins_;
  Keys const& broken_;
  std::vector<Problem>& problems_;
  std::optional<Powers> powers_;  // once somebody is strict
};

}  // namespace conf
