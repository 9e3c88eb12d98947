#!/usr/bin/env python3
"""Compares seriatim with Kafka's own classes.

    kafka_oracle_test.py setup --cache DIR
    kafka_oracle_test.py SUITE --cache DIR [--segment-tool FILE] [--partition-tool FILE] [--transaction-tool FILE] [--group-tool FILE]
                         [--seriatim FILE]

Exit code 77 means skipped: the Java tools are not installed. With CI set in the environment that is a failure instead.
"""

import argparse
import importlib
import os
import sys
import unittest

sys.dont_write_bytecode = True  # the source tree stays as it is
import kafka_env

SKIPPED = 77
SUITES = {"examples": "case_examples", "segments": "case_segments", "partition": "case_partition", "transactions": "case_transactions",
          "groups": "case_groups", "engine": "case_engine"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=["setup", *SUITES])
    parser.add_argument("--cache", required=True, help="where jars and classes are kept")
    parser.add_argument("--segment-tool", help="the program made from segment_tool.cpp")
    parser.add_argument("--partition-tool", help="the program made from partition_tool.cpp")
    parser.add_argument("--transaction-tool", help="the program made from transaction_tool.cpp")
    parser.add_argument("--group-tool", help="the program made from group_tool.cpp")
    parser.add_argument("--seriatim", help="the seriatim command")
    return parser.parse_args()


def run_suite(options, kafka):
    kafka.require()
    module = importlib.import_module(SUITES[options.suite])
    module.prepare(kafka, options)
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromModule(module))
    if result.testsRun == 0:
        print(f"the suite {options.suite} has no test", file=sys.stderr)
        return 1
    return 0 if result.wasSuccessful() else 1


def main():
    options = arguments()
    kafka = kafka_env.Kafka(options.cache)
    try:
        if options.suite == "setup":
            for oracle in (kafka, kafka_env.coordinator(options.cache)):
                oracle.set_up()
                print(f"oracle ready: {oracle.classes}, jars in {oracle.jars}")
            return 0
        return run_suite(options, kafka)
    except kafka_env.ToolMissing as missing:
        must_run = bool(os.environ.get("CI"))
        print(f"{'failed' if must_run else 'skipped'}: {missing}", file=sys.stderr)
        return 1 if must_run else SKIPPED
    except kafka_env.SetupFailed as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
