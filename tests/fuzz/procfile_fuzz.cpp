// Whatever stands in a Procfile: lines that are fit for settings, or a refusal that says where.
#include "conf/forms.h"
#include "conf/print.h"
#include "conf/procfile.h"
#include "fuzz/expect.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const conf::Source source("Procfile", "", std::string(fuzz::text_of(data, size)));
  const auto lines = conf::parse_procfile(source);
  if (!lines) {
    fuzz::expect(!lines.error().sentence.empty(), "a refusal has a sentence");
    return 0;
  }
  for (const conf::ProcfileLine& line : *lines) {
    fuzz::expect(conf::is_app_name(line.name) && !line.command.empty(), "a line has a name and a command");
    const std::string run = conf::with_exec(line.command);
    const bool is_same =
        run.size() == line.command.size() ? run == line.command : run.size() == line.command.size() + 5;
    fuzz::expect(is_same, "nothing is added but `exec `");
  }
  conf::Settings settings;
  settings.apps.push_back(conf::app_of_procfile(*lines, "app", "/"));
  fuzz::expect(!conf::print_changed(settings, {}).empty(), "it can be printed");
  return 0;
}
