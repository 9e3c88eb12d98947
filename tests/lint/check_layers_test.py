#!/usr/bin/env python3
"""Shows that every rule of scripts/check_layers.py can fail, and that a clean checkout passes."""

import unittest

from checkout import REPOSITORY, CheckoutCase


class LayerRules(CheckoutCase):
    tool = "check_layers.py"

    def setUp(self):
        super().setUp()
        self.write("docs/layers.md", (REPOSITORY / "docs" / "layers.md").read_text(encoding="utf-8"))
        self.write("include/seriatim/types.hpp", "#include <cstdint>\n")
        self.write("include/seriatim/engine.hpp", "#include <seriatim/types.hpp>\n")
        self.write("engine/base/bytes.hpp", "#include <span>\n#include <seriatim/types.hpp>\n")
        self.write("engine/os/file.hpp", '#include "base/bytes.hpp"\n')
        self.write("engine/os/file.cpp", '#include "os/file.hpp"\n#include <sys/stat.h>\n#include <unistd.h>\n')
        self.write("engine/catalog/lmdb/lmdb_env.cpp", "#include <lmdb.h>\n")
        self.write("engine/api/engine.cpp", '#include <seriatim/engine.hpp>\n#include "os/file.hpp"\n')
        self.write("examples/01.cpp", "#include <seriatim/engine.hpp>\n#include <unistd.h>\n")

    def test_a_clean_checkout_passes(self):
        self.expect_clean()

    def test_an_upward_include_is_reported(self):
        self.write("engine/base/clock.cpp", '\n#include "os/file.hpp"\n')
        self.expect_offence("engine/base/clock.cpp:2", "base may not include os")

    def test_an_unknown_layer_is_reported(self):
        self.write("engine/helpers/misc.cpp")
        self.expect_offence("engine/helpers/misc.cpp:1", "no layer")

    def test_a_file_outside_every_layer_is_reported(self):
        self.write("engine/misc.cpp")
        self.expect_offence("engine/misc.cpp:1", "no layer")

    def test_a_folder_that_is_no_room_of_its_layer_is_reported(self):
        self.write("engine/partition/helpers/misc.cpp")
        self.expect_offence("engine/partition/helpers/misc.cpp:1", "no room")

    def test_an_upward_include_between_rooms_of_a_layer_is_reported(self):
        self.write("engine/partition/partition.hpp")
        self.write("engine/partition/tail/tail.hpp", '#include "partition/partition.hpp"\n')
        self.expect_clean()
        self.write("engine/partition/partition.cpp", '#include "partition/tail/tail.hpp"\n')
        self.expect_offence("engine/partition/partition.cpp:1", "partition may not include partition/tail")

    def test_a_missing_header_is_reported(self):
        self.write("engine/os/map.cpp", '#include "os/no_such.hpp"\n')
        self.expect_offence("engine/os/map.cpp:1", "is no file under engine/")

    def test_a_relative_include_is_reported(self):
        self.write("engine/os/map.cpp", '#include "file.hpp"\n')
        self.expect_offence("engine/os/map.cpp:1", "is no file under engine/")

    def test_a_quoted_public_header_is_reported(self):
        self.write("engine/directory/topics/topic.cpp", '#include "seriatim/types.hpp"\n')
        self.expect_offence("engine/directory/topics/topic.cpp:1", "included as <seriatim/types.hpp>")

    def test_a_public_header_outside_the_last_column_is_reported(self):
        self.write("engine/os/map.cpp", "#include <seriatim/engine.hpp>\n")
        self.expect_offence("engine/os/map.cpp:1", "may not include <seriatim/engine.hpp>")

    def test_a_public_header_that_does_not_exist_is_reported(self):
        self.write("engine/directory/topics/topic.cpp", "#include <seriatim/no_such.hpp>\n")
        self.expect_offence("engine/directory/topics/topic.cpp:1", "is no public header")

    def test_a_third_party_header_in_the_wrong_folder_is_reported(self):
        self.write("engine/directory/topics/topic.cpp", "#include <lmdb.h>\n")
        self.expect_offence("engine/directory/topics/topic.cpp:1", "<lmdb.h> is included in engine/catalog/lmdb only")

    def test_a_codec_outside_compression_is_reported(self):
        self.write("engine/format/batch.cpp", "#include <zstd.h>\n")
        self.expect_offence("engine/format/batch.cpp:1", "engine/format/compression only")

    def test_posix_outside_os_is_reported(self):
        self.write("engine/catalog/catalog.cpp", "#include <fcntl.h>\n")
        self.expect_offence("engine/catalog/catalog.cpp:1", "POSIX headers belong in engine/os/*.cpp")

    def test_posix_in_a_header_of_os_is_reported(self):
        self.write("engine/os/map.hpp", "#include <sys/mman.h>\n")
        self.expect_offence("engine/os/map.hpp:1", "POSIX headers belong in engine/os/*.cpp")

    def test_a_public_header_with_a_third_party_include_is_reported(self):
        self.write("include/seriatim/hash.hpp", "#include <xxhash.h>\n")
        self.expect_offence("include/seriatim/hash.hpp:1", "standard library and <seriatim/...> only")

    def test_a_public_header_with_an_engine_include_is_reported(self):
        self.write("include/seriatim/hash.hpp", '#include "base/bytes.hpp"\n')
        self.expect_offence("include/seriatim/hash.hpp:1", "standard library and <seriatim/...> only")

    def test_a_private_header_used_from_another_folder_is_reported(self):
        self.write("engine/os/file_private.hpp")
        self.write("engine/os/map.cpp", '#include "os/file_private.hpp"\n')
        self.expect_clean()
        self.write("engine/directory/topics/topic.cpp", '#include "os/file_private.hpp"\n')
        self.expect_offence("engine/directory/topics/topic.cpp:1", "private to its folder")

    def test_headers_that_include_each_other_are_reported(self):
        self.write("engine/os/a.hpp", '#include "os/b.hpp"\n')
        self.write("engine/os/b.hpp", '#include "os/a.hpp"\n')
        self.expect_offence("engine/os/a.hpp:1", "includes itself", "engine/os/b.hpp")

    def test_an_example_with_an_engine_include_is_reported(self):
        self.write("examples/02.cpp", '#include "api/engine.hpp"\n')
        self.expect_offence("examples/02.cpp:1", "public headers")

    def test_the_demonstration_may_use_the_helpers_of_the_command_but_not_the_engine(self):
        self.write("cli/text/quantity.hpp")
        self.write("examples/demo/main.cpp", '#include "text/quantity.hpp"\n')
        self.expect_clean()
        self.write("examples/demo/main.cpp", '#include "base/bytes.hpp"\n')
        self.expect_offence("examples/demo/main.cpp:1", "public headers")

    def test_a_table_that_is_gone_is_an_error_not_a_pass(self):
        self.write("docs/layers.md", "# Layers\n")
        result = self.run_tool()
        self.assertEqual(result.returncode, 2)
        self.assertIn("no table", result.stderr)


if __name__ == "__main__":
    unittest.main()
