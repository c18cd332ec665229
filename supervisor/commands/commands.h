// The verbs of the command line, one file each: argv in, exit status out (docs/design.md, "The command
// line"). main.cpp has the table. What is common to several: instance.h, order.h, supervise.h in this folder.
#pragma once

namespace supervisor {

// argv[0] is "portherd run" and so on: what messages and --help call it.
int run_command(int argc, char** argv);
int serve_command(int argc, char** argv);
int check_command(int argc, char** argv);
int status_command(int argc, char** argv);
int logs_command(int argc, char** argv);
int plan_command(int argc, char** argv);
int reload_command(int argc, char** argv);
int restart_command(int argc, char** argv);
int rollback_command(int argc, char** argv);
int scale_command(int argc, char** argv);
int pause_command(int argc, char** argv);
int resume_command(int argc, char** argv);
int maintenance_command(int argc, char** argv);
int start_command(int argc, char** argv);
int stop_command(int argc, char** argv);
int upgrade_command(int argc, char** argv);
int adopt_command(int argc, char** argv);
int import_command(int argc, char** argv);
int exec_command(int argc, char** argv);
int completion_command(int argc, char** argv);
int version_command(int argc, char** argv);

}  // namespace supervisor
