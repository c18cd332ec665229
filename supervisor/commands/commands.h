// The verbs of the command line, one file each: argv in, exit status out (docs/design.md, "The command
// line"). main.cpp has the table. What is common to several: settings_file.h, instance.h, program.h in this
// folder.
#pragma once

namespace supervisor {

// argv[0] is "portherd run" and so on: what messages and --help call it.
int run_command(int argc, char** argv);
int serve_command(int argc, char** argv);
int check_command(int argc, char** argv);
int status_command(int argc, char** argv);
int stop_command(int argc, char** argv);
int version_command(int argc, char** argv);

}  // namespace supervisor
