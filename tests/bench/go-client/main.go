// Command go-client asks a PD by PD's own Go client, for bench to compare ours with. It takes orders
// on its standard input, one a line, and answers each with the wall and the CPU time of this process
// that it took, in seconds:
//
//	point REGION N K    reads a region N times, K at a time
//	scan LIMIT          reads all regions, LIMIT in a page
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pingcap/log"
	pd "github.com/tikv/pd/client/http"
	"github.com/tikv/pd/client/servicediscovery"
	"go.uber.org/zap/zapcore"
)

// mostAtOnce connections are kept: net/http keeps 2 unless told, and would open the others anew for
// each request.
const mostAtOnce = 64

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "go-client:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("write: go-client URL")
	}
	log.SetLevel(zapcore.ErrorLevel)
	// Without it the client would ask for its members over gRPC, which the simulated PD does not
	// speak; no request of the HTTP API is spared by it.
	discovery := servicediscovery.NewMockPDServiceDiscovery([]string{os.Args[1]}, nil)
	if err := discovery.Init(); err != nil {
		return err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: mostAtOnce}
	client := pd.NewClientWithServiceDiscovery("bench", discovery,
		pd.WithHTTPClient(&http.Client{Transport: transport, Timeout: 30 * time.Second}))
	defer client.Close()
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		begun, cpu := time.Now(), cpuTime()
		if err := do(client, orders.Text()); err != nil {
			return err
		}
		wall := time.Since(begun)
		fmt.Printf("%.9f %.9f\n", wall.Seconds(), (cpuTime() - cpu).Seconds())
	}
	return orders.Err()
}

func do(client pd.Client, order string) error {
	var region uint64
	var times, atOnce, limit int
	switch {
	case strings.HasPrefix(order, "point "):
		if _, err := fmt.Sscanf(order, "point %d %d %d", &region, &times, &atOnce); err != nil {
			return err
		}
		return point(client, region, times, atOnce)
	case strings.HasPrefix(order, "scan "):
		if _, err := fmt.Sscanf(order, "scan %d", &limit); err != nil {
			return err
		}
		return scan(client, limit)
	}
	return fmt.Errorf("no such order: %q", order)
}

func point(client pd.Client, region uint64, times, atOnce int) error {
	var workers sync.WaitGroup
	failed := make(chan error, atOnce)
	for range atOnce {
		workers.Go(func() {
			for range times / atOnce {
				if _, err := client.GetRegionByID(context.Background(), region); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	workers.Wait()
	close(failed)
	return <-failed
}

func scan(client pd.Client, limit int) error {
	var key []byte
	for {
		page, err := client.GetRegionsByKeyRange(context.Background(), pd.NewKeyRange(key, nil), limit)
		if err != nil {
			return err
		}
		if len(page.Regions) == 0 {
			return fmt.Errorf("an empty page after %x", key)
		}
		if key, err = hex.DecodeString(page.Regions[len(page.Regions)-1].EndKey); err != nil {
			return err
		}
		if len(key) == 0 {
			return nil
		}
	}
}

// cpuTime is that of this process, over all its threads.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
