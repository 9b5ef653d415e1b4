module store-player

go 1.25.0

require (
	github.com/gogo/protobuf v1.3.2
	github.com/pingcap/kvproto v0.0.0-20260810080205-543bb79c8a8a
	google.golang.org/grpc v1.79.3
)

require (
	github.com/golang/protobuf v1.5.4 // indirect
	golang.org/x/net v0.51.0 // indirect
	golang.org/x/sys v0.41.0 // indirect
	golang.org/x/text v0.34.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20251202230838-ff82c1b0f217 // indirect
	google.golang.org/protobuf v1.36.10 // indirect
)
