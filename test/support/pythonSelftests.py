# Runs programs as generated with --selftest, one after another in one process; fails where one of them does.
import runpy
import sys

programs = sys.argv[1:]
failed = False
for program in programs:
    sys.argv = [program, "--selftest"]
    code = 0
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        code = end.code or 0
    print(f"{program.rsplit('/', 1)[-1]}: exit {code}", flush=True)
    failed |= code != 0
sys.exit(1 if failed else 0)
