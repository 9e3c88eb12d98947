"""Worked examples of Kafka's formats: bytes whose meaning is known, and was checked by independent implementations."""

import struct

T = 1_700_000_000_000
A = 1 << 42
DAY_MS = 86_400_000


def unhex(text):
    return bytes.fromhex(text.replace("\n", " "))


ONE_RECORD = unhex("""
00 00 00 00 00 00 00 00 00 00 00 3e 00 00 00 00 02 36 ff 4d c3 00 00 00 00 00 00 00 00 01 8b cf
e5 68 00 00 00 01 8b cf e5 68 00 ff ff ff ff ff ff ff ff ff ff ff ff ff ff 00 00 00 01 18 00 00
00 02 6b 0a 68 65 6c 6c 6f 00""")
IDEMPOTENT = unhex("""
00 00 00 00 00 00 00 64 00 00 00 5f 00 00 00 00 02 d2 6c 5d c7 00 00 00 00 00 02 00 00 01 8b cf
e5 68 00 00 00 01 8b cf e5 68 05 00 00 04 00 00 00 00 00 00 00 00 00 00 07 00 00 00 03 2e 00 00
00 0c 75 73 65 72 2d 31 04 76 31 04 04 68 31 02 01 04 68 32 01 10 00 0a 02 01 04 76 32 00 18 00
05 04 0c 75 73 65 72 2d 31 01 00""")
TRANSACTIONAL = unhex("""
00 00 00 00 00 00 00 67 00 00 00 3a 00 00 00 00 02 33 23 4b 99 00 10 00 00 00 00 00 00 01 8b cf
e5 68 0a 00 00 01 8b cf e5 68 0a 00 00 04 00 00 00 00 00 00 01 00 00 00 00 00 00 00 01 10 00 00
00 02 61 02 31 00""")
COMMIT = unhex("""
00 00 00 00 00 00 00 68 00 00 00 42 00 00 00 00 02 ae be 46 05 00 30 00 00 00 00 00 00 01 8b cf
e5 68 0b 00 00 01 8b cf e5 68 0b 00 00 04 00 00 00 00 00 00 01 ff ff ff ff 00 00 00 01 20 00 00
00 08 00 00 00 01 0c 00 00 00 00 00 00 00""")
ABORT = COMMIT[:17] + unhex("5a 80 90 4d") + COMMIT[21:69] + b"\0" + COMMIT[70:]
APPEND_TIME = (ONE_RECORD[:17] + unhex("77 6e 88 be 00 08") + ONE_RECORD[23:35] + unhex("00 00 01 8b cf e7 4a 40")
               + ONE_RECORD[43:])
REMNANT = unhex("""
00 00 00 00 00 00 00 64 00 00 00 31 00 00 00 00 02 eb e1 ef c1 00 00 00 00 00 02 ff ff ff ff ff
ff ff ff 00 00 01 8b cf e5 68 05 00 00 04 00 00 00 00 00 00 00 00 00 00 07 00 00 00 00""")
TOMBSTONE = unhex("""
00 00 00 00 00 00 00 64 00 00 00 41 00 00 00 00 02 fb 90 2d 08 00 40 00 00 00 02 00 00 01 8b d5
0b c4 00 00 00 01 8b cf e5 67 fd 00 00 04 00 00 00 00 00 00 00 00 00 00 07 00 00 00 01 1e 00 85
f0 b2 52 04 0c 75 73 65 72 2d 31 01 00""")

TEXT = b"hello hello hello hello"
PLAIN = b"\x3c\0\0\0\x02k\x2e" + TEXT + b"\0" + b"\x3c\0\x02\x02\x02k\x2e" + TEXT + b"\0"


def two_records(codec, crc, section):
    """Two records k -> TEXT at T and T+1, offsets 0 and 1, with a given compressed section."""
    return struct.pack(">qiibIhiqqqhii", 0, 49 + len(section), 0, 2, crc, codec, 1, T, T + 1, -1, -1, -1, 2) + section


COMPRESSED = {
    "gzip": two_records(1, 0xB48C189C, unhex("""
        1f 8b 08 00 00 00 00 00 02 ff b3 61 60 60 60 ca d6 cb 48 cd c9 c9 57
        c0 20 19 6c 18 98 98 f0 48 03 00 20 0f e3 98 3e 00 00 00""")),
    "snappy": two_records(2, 0x756BE474, unhex("82 53 4e 41 50 50 59 00 00 00 00 01 00 00 00 01 00 00 00 41 3e f0 3d") + PLAIN),
    "lz4": two_records(3, 0x941CEF81, unhex("04 22 4d 18 60 40 82 3e 00 00 80") + PLAIN + bytes(4)),
    "zstd": two_records(4, 0xD967533A, unhex("""
        28 b5 2f fd 00 58 dd 00 00 90 3c 00 00 00 02 6b 2e 68 65 6c 6c 6f 20 00 3c 00 02 02 02
        00 42 85 5a e6 f2 05""")),
}
GOOD = {"one-record": ONE_RECORD, "idempotent": IDEMPOTENT, "transactional": TRANSACTIONAL, "commit": COMMIT, "abort": ABORT,
        "append-time": APPEND_TIME, "remnant": REMNANT, "tombstone": TOMBSTONE, **COMPRESSED}

# The files that Kafka derives from the scenario "indexes": base file name -> bytes.
DERIVED = {
    "00000000000000000000.index": unhex("00000003 0000126c 00000006 000024d8 0000000b 00003d78"),
    "00000000000000000000.timeindex": unhex("""
        0000018bcfe56803 00000003 0000018bcfe56806 00000006 0000018bcfe5680b 0000000b 0000018bcfe5680d 0000000d"""),
    "00000000000000000000.txnindex": unhex("""
        0000 0000040000000000 0000000000000000 0000000000000008 0000000000000001
        0000 0000040000000001 0000000000000001 000000000000000b 000000000000000c"""),
    "00000000000000000014.snapshot": unhex("""
        0001 54be20a9 00000002
        0000040000000000 0001 00000000 000000000000000c 00000000 0000018bcfe5680d 00000000 ffffffffffffffff
        0000040000000001 0000 00000003 0000000000000007 00000000 0000018bcfe5680b 00000000 ffffffffffffffff"""),
}


def set_bytes(batch, at, replacement):
    return batch[:at] + replacement + batch[at + len(replacement):]
