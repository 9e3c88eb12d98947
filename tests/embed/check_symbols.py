#!/usr/bin/env python3
"""The shared library exports the public namespace and the C functions, and nothing else: check_symbols.py LIBRARY"""

import re
import subprocess
import sys

ALLOWED = re.compile(r"^(?:(?:vtable|VTT|typeinfo|typeinfo name) for )?seriatim::v0::|^seriatim_\w+$|^SERIATIM_\d+$")


def main():
    library = sys.argv[1]
    listing = subprocess.run(["nm", "-DC", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    # "0000000000012340 T seriatim::v0::name(seriatim::v0::Errc)@@SERIATIM_0"
    symbols = [re.sub(r"@@?SERIATIM_\d+$", "", line.split(maxsplit=2)[2]) for line in listing.splitlines()]
    foreign = [symbol for symbol in symbols if not ALLOWED.match(symbol)]
    for symbol in foreign:
        print(f"exported, but not public: {symbol}")
    # The throw of one side must be caught by the other.
    if "typeinfo for seriatim::v0::Exception" not in symbols:
        print("not exported: typeinfo for seriatim::v0::Exception; nobody could catch it")
        return 1
    print(f"{len(symbols)} symbols exported")
    return 1 if foreign else 0


if __name__ == "__main__":
    sys.exit(main())
