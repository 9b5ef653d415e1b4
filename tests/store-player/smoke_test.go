// The whole program against a PD that only listens: no real one is asked here.

package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pingcap/kvproto/pkg/metapb"
	"github.com/pingcap/kvproto/pkg/pdpb"
	"google.golang.org/grpc"
)

// patience ends a test that waits for what does not come.
const patience = 20 * time.Second

// listeningPD takes what stores say, and hands region heartbeats on to the test.
type listeningPD struct {
	pdpb.UnimplementedPDServer
	url        string
	heartbeats chan *pdpb.RegionHeartbeatRequest

	mu     sync.Mutex
	lastID uint64
	first  *metapb.Region
	stores []*metapb.Store
	// steps are sent once, in answer to the next heartbeat of their region.
	steps map[uint64]*pdpb.RegionHeartbeatResponse
}

func listening(t *testing.T) *listeningPD {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pd := &listeningPD{
		url:        "http://" + listener.Addr().String(),
		heartbeats: make(chan *pdpb.RegionHeartbeatRequest, 1000),
		steps:      map[uint64]*pdpb.RegionHeartbeatResponse{},
	}
	server := grpc.NewServer()
	pdpb.RegisterPDServer(server, pd)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return pd
}

func (pd *listeningPD) header() *pdpb.ResponseHeader { return &pdpb.ResponseHeader{ClusterId: 77} }

func (pd *listeningPD) GetMembers(context.Context, *pdpb.GetMembersRequest) (*pdpb.GetMembersResponse, error) {
	return &pdpb.GetMembersResponse{Header: pd.header(), Leader: &pdpb.Member{ClientUrls: []string{pd.url}}}, nil
}

func (pd *listeningPD) AllocID(context.Context, *pdpb.AllocIDRequest) (*pdpb.AllocIDResponse, error) {
	pd.mu.Lock()
	defer pd.mu.Unlock()
	pd.lastID++
	return &pdpb.AllocIDResponse{Header: pd.header(), Id: pd.lastID}, nil
}

func (pd *listeningPD) IsBootstrapped(context.Context, *pdpb.IsBootstrappedRequest) (*pdpb.IsBootstrappedResponse, error) {
	pd.mu.Lock()
	defer pd.mu.Unlock()
	return &pdpb.IsBootstrappedResponse{Header: pd.header(), Bootstrapped: pd.first != nil}, nil
}

func (pd *listeningPD) Bootstrap(_ context.Context, request *pdpb.BootstrapRequest) (*pdpb.BootstrapResponse, error) {
	pd.mu.Lock()
	defer pd.mu.Unlock()
	pd.first = request.GetRegion()
	return &pdpb.BootstrapResponse{Header: pd.header()}, nil
}

func (pd *listeningPD) PutStore(_ context.Context, request *pdpb.PutStoreRequest) (*pdpb.PutStoreResponse, error) {
	pd.mu.Lock()
	defer pd.mu.Unlock()
	pd.stores = append(pd.stores, request.GetStore())
	return &pdpb.PutStoreResponse{Header: pd.header()}, nil
}

func (pd *listeningPD) GetAllStores(context.Context, *pdpb.GetAllStoresRequest) (*pdpb.GetAllStoresResponse, error) {
	pd.mu.Lock()
	defer pd.mu.Unlock()
	return &pdpb.GetAllStoresResponse{Header: pd.header(), Stores: pd.stores}, nil
}

func (pd *listeningPD) StoreHeartbeat(context.Context, *pdpb.StoreHeartbeatRequest) (*pdpb.StoreHeartbeatResponse, error) {
	return &pdpb.StoreHeartbeatResponse{Header: pd.header()}, nil
}

func (pd *listeningPD) RegionHeartbeat(stream pdpb.PD_RegionHeartbeatServer) error {
	for {
		heartbeat, err := stream.Recv()
		if err != nil {
			return err
		}
		id := heartbeat.GetRegion().GetId()
		pd.mu.Lock()
		step := pd.steps[id]
		delete(pd.steps, id)
		pd.mu.Unlock()
		if step != nil {
			step.Header, step.RegionId = pd.header(), id
			step.RegionEpoch = heartbeat.GetRegion().GetRegionEpoch()
			if err := stream.Send(step); err != nil {
				return err
			}
		}
		select {
		case pd.heartbeats <- heartbeat:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// until takes heartbeats until one is as wanted.
func (pd *listeningPD) until(t *testing.T, wanted func(*pdpb.RegionHeartbeatRequest) bool) *pdpb.RegionHeartbeatRequest {
	t.Helper()
	over := time.After(patience)
	for {
		select {
		case heartbeat := <-pd.heartbeats:
			if wanted(heartbeat) {
				return heartbeat
			}
		case <-over:
			t.Fatal("no such heartbeat")
		}
	}
}

// played is three stores and two regions, and the script's address.
func played(t *testing.T, pd *listeningPD) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	link, err := link(ctx, []string{pd.url})
	if err != nil {
		t.Fatal(err)
	}
	pace := pace{storeHeartbeat: time.Millisecond, regionHeartbeat: time.Millisecond}
	player := newPlayer(link, pace)
	if err := player.begin(ctx, shape{stores: 3, regions: 2, replicas: 3, version: defaultStoreVersion, regionMiB: 10}); err != nil {
		t.Fatal(err)
	}
	script := httptest.NewServer(player.handler(ctx))
	done := make(chan struct{})
	go func() { player.run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done; script.Close() })
	return script.URL
}

func order(t *testing.T, url, body string) {
	t.Helper()
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, answer.Status)
	}
}

func leads(regionID, storeID uint64) func(*pdpb.RegionHeartbeatRequest) bool {
	return func(heartbeat *pdpb.RegionHeartbeatRequest) bool {
		return heartbeat.GetRegion().GetId() == regionID && heartbeat.GetLeader().GetStoreId() == storeID
	}
}

func TestStoresAreThereAndRegionsAreReported(t *testing.T) {
	pd := listening(t)
	script := played(t, pd)
	answer, err := http.Get(script + "/state")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var state shownState
	if err := json.NewDecoder(answer.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	if state.ClusterID != "77" || len(state.Stores) != 3 || len(state.Regions) != 2 {
		t.Fatalf("%+v", state)
	}
	for _, region := range state.Regions {
		heartbeat := pd.until(t, leads(region.ID, region.Leader))
		if len(heartbeat.GetRegion().GetPeers()) != 3 || heartbeat.GetApproximateSize() != 10*mebibyte {
			t.Errorf("%v", heartbeat)
		}
	}
}

func TestAStepOfPDIsCarriedOut(t *testing.T) {
	pd := listening(t)
	played(t, pd)
	before := pd.until(t, func(*pdpb.RegionHeartbeatRequest) bool { return true })
	id := before.GetRegion().GetId()
	target := before.GetRegion().GetPeers()[2]
	pd.mu.Lock()
	pd.steps[id] = &pdpb.RegionHeartbeatResponse{TransferLeader: &pdpb.TransferLeader{Peer: target}}
	pd.mu.Unlock()
	pd.until(t, leads(id, target.GetStoreId()))
}

func TestTheScriptKillsAStoreAndItsRegionsElect(t *testing.T) {
	pd := listening(t)
	script := played(t, pd)
	before := pd.until(t, func(*pdpb.RegionHeartbeatRequest) bool { return true })
	id, killed := before.GetRegion().GetId(), before.GetLeader().GetStoreId()
	order(t, script+"/stores/"+decimal(killed)+"/kill", "")
	after := pd.until(t, func(heartbeat *pdpb.RegionHeartbeatRequest) bool {
		return heartbeat.GetRegion().GetId() == id && heartbeat.GetLeader().GetStoreId() != killed
	})
	down := slices.ContainsFunc(after.GetDownPeers(), func(peer *pdpb.PeerStats) bool {
		return peer.GetPeer().GetStoreId() == killed
	})
	if !down {
		t.Errorf("store %d is not down: %v", killed, after)
	}
}

func TestOtherClustersAreLeftAlone(t *testing.T) {
	pd := listening(t)
	pd.first = &metapb.Region{Id: 1}
	pd.stores = []*metapb.Store{{Id: 1, Address: "tikv-1:20160"}}
	link, err := link(t.Context(), []string{pd.url})
	if err != nil {
		t.Fatal(err)
	}
	if err := newPlayer(link, pace{}).begin(t.Context(), shape{}); err == nil {
		t.Error("took over stores that are none of ours")
	}
	if _, err := loopback("http://10.0.0.1:2379"); err == nil {
		t.Error("would speak with a PD on another machine")
	}
}
