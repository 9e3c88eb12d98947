#!/usr/bin/env bash
# kafkajs 2.2.4 hands out records of aborted transactions, under read_committed, in two cases of valid input:
#  1. two aborted transactions overlap, and the one that began later ended first. A broker lists aborted
#     transactions in the order of their ends; kafkajs expects the order of their beginnings.
#  2. a record of an aborted transaction has the key 00 00 00 00, which is the integer 0 as Kafka's
#     IntegerSerializer writes it. kafkajs takes it for the abort marker, and shows the rest of the transaction.
# It runs the part of the library that every fetch goes through, on the fields of a fetch response.
# Exit status: 0 while the library behaves so; 1 when that has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund kafkajs@2.2.4 >/dev/null

cat >look.js <<'JS'
const Batch = require('kafkajs/src/consumer/batch')
const { version } = require('kafkajs/package.json')

const record = (offset, producerId, key) => ({
  offset: String(offset), key: Buffer.from(key), value: Buffer.from('aborted'), isControlRecord: false,
  batchContext: { producerId: String(producerId), inTransaction: true },
})
const marker = (offset, producerId) => ({
  ...record(offset, producerId, [0, 0, 0, 0]), isControlRecord: true,
})
const shown = (messages, abortedTransactions) =>
  new Batch('t', 0, { partition: 0, highWatermark: '9', abortedTransactions, messages })
    .messages.map(message => Number(message.offset))

const overlapping = shown(
  [record(0, 1, 'a'), record(1, 2, 'b'), marker(2, 2), record(3, 1, 'c'), marker(4, 1)],
  [{ producerId: '2', firstOffset: '1' }, { producerId: '1', firstOffset: '0' }])
const zeroKey = shown(
  [record(0, 1, [0, 0, 0, 0]), record(1, 1, 'b'), marker(2, 1)],
  [{ producerId: '1', firstOffset: '0' }])
console.log(`kafkajs ${version}`)
console.log(`overlapping aborted transactions: shown offsets ${JSON.stringify(overlapping)}, right is []`)
console.log(`key of integer 0 in an aborted transaction: shown offsets ${JSON.stringify(zeroKey)}, right is []`)
process.exit(overlapping.length > 0 && zeroKey.length > 0 ? 0 : 1)
JS
node look.js
# Seen:
#   kafkajs 2.2.4
#   overlapping aborted transactions: shown offsets [0], right is []
#   key of integer 0 in an aborted transaction: shown offsets [0,1], right is []
