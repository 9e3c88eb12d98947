"""Kafka's record batches of version 2, byte by byte, for logs that a test writes itself."""

import struct

PRODUCER = 1 << 40
TRANSACTIONAL, CONTROL = 0x10, 0x20
ABORT, COMMIT = 0, 1


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def varint(value):
    number = (value << 1) ^ (value >> 63)
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def batch(offset, key, value, attributes=0, producer=-1, epoch=-1, sequence=-1):
    """A batch of one record."""
    record = b"\0" + varint(0) + varint(0) + varint(len(key)) + key + varint(len(value)) + value + varint(0)
    covered = struct.pack(">hiqqqhii", attributes, 0, 1, 1, producer, epoch, sequence, 1) + varint(len(record)) + record
    return struct.pack(">qiibI", offset, len(covered) + 9, 0, 2, crc32c(covered)) + covered


def marker(offset, kind, number, epoch):
    return batch(offset, struct.pack(">hh", 0, kind), struct.pack(">hi", 0, 0), TRANSACTIONAL | CONTROL, PRODUCER + number, epoch)
