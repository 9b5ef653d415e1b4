// Keys of regions: how TiKV writes the rows of a table, and a key between two others.

package main

import (
	"bytes"
	"encoding/binary"
)

// A key is stored in groups of eight bytes, each followed by how many of the eight are padding.
const (
	groupSize = 8
	marker    = 0xFF
)

// encodedKey is the raw key in the order-preserving form that regions are bounded with.
func encodedKey(raw []byte) []byte {
	var encoded []byte
	for start := 0; start <= len(raw); start += groupSize {
		group := raw[start:min(start+groupSize, len(raw))]
		padding := groupSize - len(group)
		encoded = append(encoded, group...)
		encoded = append(encoded, make([]byte, padding)...)
		encoded = append(encoded, byte(marker-padding))
	}
	return encoded
}

// rowKey bounds a region: row number `row` of table 1.
func rowKey(row uint64) []byte {
	const signBit = 1 << 63
	raw := []byte{'t'}
	raw = binary.BigEndian.AppendUint64(raw, signBit|1)
	raw = append(raw, "_r"...)
	raw = binary.BigEndian.AppendUint64(raw, signBit|row)
	return encodedKey(raw)
}

// keyBetween is a key strictly between the two, and false when there is none to be found.
// An empty end is no bound.
func keyBetween(start, end []byte) ([]byte, bool) {
	const width = 64
	low, high := padded(start, width, 0), padded(end, width, 0)
	if len(end) == 0 {
		high = bytes.Repeat([]byte{marker}, width)
	}
	middle := make([]byte, width)
	carry := 0
	for i := range width {
		sum := carry<<8 + int(low[i]) + int(high[i])
		middle[i] = byte(sum / 2)
		carry = sum % 2
	}
	// One byte more than it takes to be above the start is enough, and reads better.
	for length := 1; length <= width; length++ {
		if short := middle[:length]; within(short, start, end) {
			return short, true
		}
	}
	return nil, false
}

func padded(key []byte, width int, with byte) []byte {
	wide := bytes.Repeat([]byte{with}, width)
	copy(wide, key)
	return wide
}

// within tells whether a region from start to end can be split at the key.
func within(key, start, end []byte) bool {
	return bytes.Compare(key, start) > 0 && (len(end) == 0 || bytes.Compare(key, end) < 0)
}
