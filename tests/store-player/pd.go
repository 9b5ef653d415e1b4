// The connection to PD: to whichever of its members leads.

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/pingcap/kvproto/pkg/metapb"
	"github.com/pingcap/kvproto/pkg/pdpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// callTimeout bounds one call, so that a PD that hangs stops one round of heartbeats only.
const callTimeout = 3 * time.Second

// pdLink asks PD's leader, and looks for the new one once told that the old one failed.
type pdLink struct {
	endpoints []string
	// clusterID is set once and the same for as long as the program runs.
	clusterID uint64

	mu     sync.Mutex
	leader *grpc.ClientConn
}

// link finds PD's leader and the id of its cluster.
func link(ctx context.Context, endpoints []string) (*pdLink, error) {
	pd := &pdLink{endpoints: endpoints}
	if _, err := pd.connection(ctx); err != nil {
		return nil, err
	}
	return pd, nil
}

func (pd *pdLink) header() *pdpb.RequestHeader {
	return &pdpb.RequestHeader{ClusterId: pd.clusterID}
}

// connection is the one to the leader.
func (pd *pdLink) connection(ctx context.Context) (*grpc.ClientConn, error) {
	pd.mu.Lock()
	defer pd.mu.Unlock()
	if pd.leader != nil {
		return pd.leader, nil
	}
	var failures []error
	for _, endpoint := range pd.endpoints {
		leader, err := pd.leaderBy(ctx, endpoint)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", endpoint, err))
			continue
		}
		pd.leader = leader
		return leader, nil
	}
	return nil, errors.Join(failures...)
}

// leaderBy asks one member which member leads, and connects to that one.
func (pd *pdLink) leaderBy(ctx context.Context, endpoint string) (*grpc.ClientConn, error) {
	member, err := dial(endpoint)
	if err != nil {
		return nil, err
	}
	defer member.Close()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	members, err := pdpb.NewPDClient(member).GetMembers(ctx, &pdpb.GetMembersRequest{})
	if err != nil {
		return nil, err
	}
	if err := refusal(members.GetHeader()); err != nil {
		return nil, err
	}
	urls := members.GetLeader().GetClientUrls()
	if len(urls) == 0 {
		return nil, errors.New("no member leads")
	}
	switch id := members.GetHeader().GetClusterId(); pd.clusterID {
	case 0, id:
		pd.clusterID = id
	default:
		return nil, fmt.Errorf("cluster %d is here, not %d", id, pd.clusterID)
	}
	return dial(urls[0])
}

func dial(endpoint string) (*grpc.ClientConn, error) {
	address, err := loopback(endpoint)
	if err != nil {
		return nil, err
	}
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
}

// loopback is the address of an endpoint on this machine; every other is refused, because no
// cluster but a laboratory's should ever hear of stores that do not exist.
func loopback(endpoint string) (string, error) {
	address := endpoint
	if parsed, err := url.Parse(endpoint); err == nil && parsed.Host != "" {
		address = parsed.Host
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("`%s` is not on this machine's loopback", endpoint)
	}
	return address, nil
}

// lost gives a connection up that failed; the next call looks for the leader again.
func (pd *pdLink) lost(connection *grpc.ClientConn) {
	pd.mu.Lock()
	defer pd.mu.Unlock()
	if pd.leader == connection {
		pd.leader = nil
		_ = connection.Close()
	}
}

// headed is an answer of PD.
type headed interface{ GetHeader() *pdpb.ResponseHeader }

// ask makes one call to the leader. An answer that says no is an error.
func ask[A headed](ctx context.Context, pd *pdLink, call func(context.Context, pdpb.PDClient) (A, error)) (A, error) {
	var none A
	connection, err := pd.connection(ctx)
	if err != nil {
		return none, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := call(ctx, pdpb.NewPDClient(connection))
	if code := status.Code(err); code == codes.Unavailable || code == codes.DeadlineExceeded {
		pd.lost(connection)
	}
	if err != nil {
		return none, err
	}
	return answer, refusal(answer.GetHeader())
}

// refused is PD's own no.
type refused struct{ told *pdpb.Error }

func (err refused) Error() string { return err.told.GetMessage() }

func refusal(header *pdpb.ResponseHeader) error {
	if told := header.GetError(); told != nil && told.GetType() != pdpb.ErrorType_OK {
		return refused{told}
	}
	return nil
}

// isTombstone tells whether PD said that the store is gone for good.
func isTombstone(err error) bool {
	var no refused
	return errors.As(err, &no) && no.told.GetType() == pdpb.ErrorType_STORE_TOMBSTONE
}

func (pd *pdLink) allocateID(ctx context.Context) (uint64, error) {
	answer, err := ask(ctx, pd, func(ctx context.Context, client pdpb.PDClient) (*pdpb.AllocIDResponse, error) {
		return client.AllocID(ctx, &pdpb.AllocIDRequest{Header: pd.header(), Count: 1})
	})
	return answer.GetId(), err
}

func (pd *pdLink) isBootstrapped(ctx context.Context) (bool, error) {
	answer, err := ask(ctx, pd, func(ctx context.Context, client pdpb.PDClient) (*pdpb.IsBootstrappedResponse, error) {
		return client.IsBootstrapped(ctx, &pdpb.IsBootstrappedRequest{Header: pd.header()})
	})
	return answer.GetBootstrapped(), err
}

func (pd *pdLink) bootstrap(ctx context.Context, store *metapb.Store, region *metapb.Region) error {
	_, err := ask(ctx, pd, func(ctx context.Context, client pdpb.PDClient) (*pdpb.BootstrapResponse, error) {
		return client.Bootstrap(ctx, &pdpb.BootstrapRequest{Header: pd.header(), Store: store, Region: region})
	})
	return err
}

func (pd *pdLink) putStore(ctx context.Context, store *metapb.Store) error {
	_, err := ask(ctx, pd, func(ctx context.Context, client pdpb.PDClient) (*pdpb.PutStoreResponse, error) {
		return client.PutStore(ctx, &pdpb.PutStoreRequest{Header: pd.header(), Store: store})
	})
	return err
}

func (pd *pdLink) allStores(ctx context.Context) ([]*metapb.Store, error) {
	answer, err := ask(ctx, pd, func(ctx context.Context, client pdpb.PDClient) (*pdpb.GetAllStoresResponse, error) {
		return client.GetAllStores(ctx, &pdpb.GetAllStoresRequest{Header: pd.header(), ExcludeTombstoneStores: true})
	})
	return answer.GetStores(), err
}

func (pd *pdLink) allRegions(ctx context.Context) ([]*pdpb.Region, error) {
	answer, err := ask(ctx, pd, func(ctx context.Context, client pdpb.PDClient) (*pdpb.ScanRegionsResponse, error) {
		return client.ScanRegions(ctx, &pdpb.ScanRegionsRequest{Header: pd.header()})
	})
	return answer.GetRegions(), err
}

func (pd *pdLink) storeHeartbeat(ctx context.Context, stats *pdpb.StoreStats) error {
	_, err := ask(ctx, pd, func(ctx context.Context, client pdpb.PDClient) (*pdpb.StoreHeartbeatResponse, error) {
		return client.StoreHeartbeat(ctx, &pdpb.StoreHeartbeatRequest{Header: pd.header(), Stats: stats})
	})
	return err
}

// splitIDs asks PD for the ids of `count` new regions and of their peers.
func (pd *pdLink) splitIDs(ctx context.Context, region *metapb.Region, count int) ([]*pdpb.SplitID, error) {
	answer, err := ask(ctx, pd, func(ctx context.Context, client pdpb.PDClient) (*pdpb.AskBatchSplitResponse, error) {
		return client.AskBatchSplit(ctx, &pdpb.AskBatchSplitRequest{
			Header: pd.header(), Region: region, SplitCount: uint32(count),
		})
	})
	if err == nil && len(answer.GetIds()) != count {
		err = fmt.Errorf("PD gave %d ids, not %d", len(answer.GetIds()), count)
	}
	return answer.GetIds(), err
}

func (pd *pdLink) reportSplit(ctx context.Context, parts []*metapb.Region) error {
	_, err := ask(ctx, pd, func(ctx context.Context, client pdpb.PDClient) (*pdpb.ReportBatchSplitResponse, error) {
		return client.ReportBatchSplit(ctx, &pdpb.ReportBatchSplitRequest{Header: pd.header(), Regions: parts})
	})
	return err
}
