#!/usr/bin/env bash
# Record batches of plain producers: Kafka's own classes write producer id, epoch and base sequence as -1, -1, -1.
# aiokafka 0.14.0 writes -1, -1, 0, and kafkajs 2.2.4 writes -1, 0, 0. Brokers take all three, so a reader of logs
# must look at epoch and sequence only where there is a producer id.
# Exit status: 0 while the libraries behave so; 1 when that has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python >/dev/null
python/bin/pip install --quiet --disable-pip-version-check aiokafka==0.14.0
npm init -y >/dev/null
npm install --silent --no-audit --no-fund kafkajs@2.2.4 >/dev/null

cat >aiokafka_batch.py <<'PY'
import struct
from importlib.metadata import version
from aiokafka.producer.message_accumulator import BatchBuilder

builder = BatchBuilder(1 << 16, 0)
builder.append(timestamp=1_700_000_000_000, key=b"k", value=b"v")
fields = struct.unpack_from(">qhi", bytes(builder._build()), 43)
print("aiokafka", version("aiokafka"), *fields)
PY
cat >kafkajs_batch.js <<'JS'
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0')
const Record = require('kafkajs/src/protocol/recordBatch/record/v0')
const { version } = require('kafkajs/package.json')

RecordBatch({ records: [Record({ key: 'k', value: 'v' })] }).then(({ buffer }) =>
  console.log('kafkajs', version, String(buffer.readBigInt64BE(43)), buffer.readInt16BE(51), buffer.readInt32BE(53)))
JS
python/bin/python aiokafka_batch.py | tee seen
node kafkajs_batch.js | tee -a seen
# Seen (producer id, epoch, base sequence):
diff seen - <<'SEEN'
aiokafka 0.14.0 -1 -1 0
kafkajs 2.2.4 -1 0 0
SEEN
