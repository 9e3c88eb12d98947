#!/usr/bin/env bash
# franz-go 1.22.3 counts a record's time in nanoseconds since 1970 in 64 bits: a timestamp beyond April 2262,
# such as the year 9999 that stands for "never" in many applications, is read as a time long past, without an error.
# Kafka's timestamps are 64 bits of milliseconds, and its own classes give the value back.
# Exit status: 0 while the library behaves so; 1 when that has changed.
set -euo pipefail

folder=$(mktemp -d)
export GOFLAGS=-modcacherw GOPATH=$folder/go
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >look.go <<'GO'
package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// One batch of one record with the value "v", written by the format's description.
func batch(millis int64) []byte {
	record := []byte{14, 0, 0, 0, 1, 2, 'v', 0}
	var body []byte
	body = binary.BigEndian.AppendUint16(body, 0)                  // attributes
	body = binary.BigEndian.AppendUint32(body, 0)                  // last offset delta
	body = binary.BigEndian.AppendUint64(body, uint64(millis))     // base timestamp
	body = binary.BigEndian.AppendUint64(body, uint64(millis))     // max timestamp
	body = binary.BigEndian.AppendUint64(body, ^uint64(0))         // producer id -1
	body = binary.BigEndian.AppendUint16(body, ^uint16(0))         // epoch -1
	body = binary.BigEndian.AppendUint32(body, ^uint32(0))         // base sequence -1
	body = binary.BigEndian.AppendUint32(body, 1)                  // records
	body = append(body, record...)
	var all []byte
	all = binary.BigEndian.AppendUint64(all, 0)                    // base offset
	all = binary.BigEndian.AppendUint32(all, uint32(len(body)+9))  // batch length
	all = binary.BigEndian.AppendUint32(all, 0)                    // leader epoch
	all = append(all, 2)                                           // magic
	all = binary.BigEndian.AppendUint32(all, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return append(all, body...)
}

func read(when time.Time) time.Time {
	response := kmsg.NewFetchResponseTopicPartition()
	response.HighWatermark, response.LastStableOffset = 1, 1
	response.RecordBatches = batch(when.UnixMilli())
	fetched, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Topic: "t"}, &response, kgo.DefaultDecompressor(), nil)
	if fetched.Err != nil || len(fetched.Records) != 1 {
		fmt.Println("not read:", fetched.Err, len(fetched.Records))
		os.Exit(1)
	}
	return fetched.Records[0].Timestamp.UTC()
}

func main() {
	near := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	far := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	fmt.Println("franz-go 1.22.3")
	fmt.Println(near.Format(time.RFC3339), "is read as", read(near).Format(time.RFC3339))
	fmt.Println(far.Format(time.RFC3339), "is read as", read(far).Format(time.RFC3339))
}
GO
go mod init look >/dev/null 2>&1
go get github.com/twmb/franz-go@v1.22.3 github.com/twmb/franz-go/pkg/kmsg >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run look.go | tee seen
# Seen:
diff seen - <<'SEEN'
franz-go 1.22.3
2026-01-01T00:00:00Z is read as 2026-01-01T00:00:00Z
9999-12-31T00:00:00Z is read as 1816-03-29T05:56:08Z
SEEN
