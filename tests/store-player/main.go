// Store-player plays TiKV stores and their regions to a real PD, as the README tells: it sends
// their heartbeats, carries out PD's operators, and does by itself what it is told over HTTP.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// defaultStoreVersion is old enough for each PD that is tested.
	defaultStoreVersion = "6.5.0"
	defaultRegionMiB    = 10
)

func main() {
	log.SetFlags(log.LstdFlags | log.Lmicroseconds)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := play(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Fatal(err)
	}
}

// settings is the command line.
type settings struct {
	endpoints string
	control   string
	labels    string
	approx    bool
	shape     shape
	pace      pace
}

func parsed(arguments []string) (settings, error) {
	var set settings
	flags := flag.NewFlagSet("store-player", flag.ContinueOnError)
	flags.StringVar(&set.endpoints, "pd", os.Getenv("PD_ENDPOINTS"), "addresses of PD, comma separated")
	flags.StringVar(&set.control, "control", "127.0.0.1:0", "where to listen for the script; port 0 takes a free one")
	flags.IntVar(&set.shape.stores, "stores", 5, "TiKV stores of a new cluster")
	flags.IntVar(&set.shape.tiflash, "tiflash", 0, "TiFlash stores of a new cluster")
	flags.IntVar(&set.shape.regions, "regions", 60, "regions of a new cluster")
	flags.IntVar(&set.shape.replicas, "replicas", 3, "replicas of each region")
	flags.Uint64Var(&set.shape.regionMiB, "region-mib", defaultRegionMiB, "size of each region in MiB")
	flags.StringVar(&set.shape.version, "store-version", defaultStoreVersion, "version that stores report")
	flags.StringVar(&set.labels, "labels", "", "labels for the stores in turn, such as zone=z1,host=h1;zone=z2,host=h2")
	flags.BoolVar(&set.approx, "approximate-splits", false, "carry out splits by approximate size")
	flags.DurationVar(&set.pace.storeHeartbeat, "store-heartbeat", time.Second, "time between a store's heartbeats")
	flags.DurationVar(&set.pace.regionHeartbeat, "region-heartbeat", 2*time.Second, "time between a region's heartbeats")
	flags.DurationVar(&set.pace.operator, "operator", 100*time.Millisecond, "time until a step of an operator is carried out")
	flags.DurationVar(&set.pace.snapshot, "snapshot", 0, "time that a new peer is pending")
	flags.DurationVar(&set.pace.election, "election", time.Second, "time until a region has a new leader after its store was killed")
	if err := flags.Parse(arguments); err != nil {
		return set, err
	}
	labels, err := parsedLabels(set.labels)
	set.shape.labels = labels
	switch {
	case err != nil:
		return set, err
	case flags.NArg() > 0:
		return set, fmt.Errorf("`%s` is no flag", flags.Arg(0))
	case set.endpoints == "":
		return set, errors.New("no PD: use --pd or PD_ENDPOINTS")
	}
	return set, set.pace.check()
}

func (pace pace) check() error {
	if pace.storeHeartbeat <= 0 || pace.regionHeartbeat <= 0 {
		return errors.New("the time between heartbeats must be above zero")
	}
	return nil
}

func play(ctx context.Context, arguments []string) error {
	set, err := parsed(arguments)
	if err != nil {
		return err
	}
	pd, err := link(ctx, strings.Split(set.endpoints, ","))
	if err != nil {
		return err
	}
	if named := os.Getenv("PD_MUTATE_CLUSTER_ID"); named != "" && named != decimal(pd.clusterID) {
		return fmt.Errorf("PD_MUTATE_CLUSTER_ID is %s, and PD reports %d", named, pd.clusterID)
	}
	listener, err := listen(set.control)
	if err != nil {
		return err
	}
	player := newPlayer(pd, set.pace)
	player.approximate = set.approx
	if err := player.begin(ctx, set.shape); err != nil {
		return err
	}
	server := &http.Server{Handler: player.handler(ctx), ReadHeaderTimeout: callTimeout}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	go player.run(ctx)
	fmt.Printf("cluster_id=%d stores=%d regions=%d control=http://%s\n",
		pd.clusterID, len(player.stores), len(player.regions), listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func listen(address string) (net.Listener, error) {
	checked, err := loopback(address)
	if err != nil {
		return nil, err
	}
	return net.Listen("tcp", checked)
}

func decimal(id uint64) string { return strconv.FormatUint(id, 10) }
