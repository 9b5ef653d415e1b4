// What stores tell PD by themselves: their figures, and the regions that they lead.

package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pingcap/kvproto/pkg/metapb"
	"github.com/pingcap/kvproto/pkg/pdpb"
	"google.golang.org/grpc"
)

const mebibyte = 1 << 20

// reported is what a store says of itself where that is not computed; zero is "as computed".
type reported struct {
	CapacityMiB        uint64 `json:"capacity_mib"`
	AvailableMiB       uint64 `json:"available_mib"`
	SlowScore          uint64 `json:"slow_score"`
	Busy               bool   `json:"busy"`
	Stopping           bool   `json:"stopping"`
	SendingSnapshots   uint32 `json:"sending_snapshots"`
	ReceivingSnapshots uint32 `json:"receiving_snapshots"`
	ApplyingSnapshots  uint32 `json:"applying_snapshots"`
}

// defaultCapacityMiB is a tebibyte.
const defaultCapacityMiB = 1 << 20

// sendStores sends one heartbeat of every store that sends any.
func (p *player) sendStores(ctx context.Context) {
	p.mu.Lock()
	var all []*pdpb.StoreStats
	for id, store := range p.stores {
		if store.alive && store.storeHeartbeats && !store.gone {
			all = append(all, p.stats(id, store))
		}
	}
	p.mu.Unlock()
	for _, stats := range all {
		if err := p.pd.storeHeartbeat(ctx, stats); err != nil {
			p.heartbeatFailed(stats.GetStoreId(), err)
		}
	}
}

// heartbeatFailed notes a store that is gone. Everything else is tried again with the next round.
func (p *player) heartbeatFailed(storeID uint64, err error) {
	if !isTombstone(err) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if store := p.stores[storeID]; !store.gone {
		store.gone = true
		p.tell("store %d: PD says that it is a tombstone", storeID)
	}
}

// stats is what a store says of itself; the mutex must be held.
func (p *player) stats(storeID uint64, store *playedStore) *pdpb.StoreStats {
	var used uint64
	var count uint32
	for _, region := range p.regions {
		if peerOn(region.meta, storeID) != nil {
			used += region.size
			count++
		}
	}
	report := store.report
	capacity := report.CapacityMiB
	if capacity == 0 {
		capacity = defaultCapacityMiB
	}
	available := report.AvailableMiB
	if available == 0 {
		available = capacity - min(used, capacity)
	}
	now := time.Now()
	return &pdpb.StoreStats{
		StoreId:            storeID,
		Capacity:           capacity * mebibyte,
		Available:          available * mebibyte,
		UsedSize:           used * mebibyte,
		RegionCount:        count,
		StartTime:          uint32(store.started.Unix()),
		IsBusy:             report.Busy,
		IsStopping:         report.Stopping,
		SlowScore:          max(report.SlowScore, 1),
		SendingSnapCount:   report.SendingSnapshots,
		ReceivingSnapCount: report.ReceivingSnapshots,
		ApplyingSnapCount:  report.ApplyingSnapshots,
		Interval:           interval(now, p.pace.storeHeartbeat),
	}
}

func interval(now time.Time, length time.Duration) *pdpb.TimeInterval {
	seconds := max(uint64(length.Seconds()), 1)
	return &pdpb.TimeInterval{StartTimestamp: uint64(now.Unix()) - seconds, EndTimestamp: uint64(now.Unix())}
}

// sendRegions sends one heartbeat of every region that has a leader.
func (p *player) sendRegions(ctx context.Context) {
	p.mu.Lock()
	ids := make([]uint64, 0, len(p.regions))
	for id := range p.regions {
		ids = append(ids, id)
	}
	p.mu.Unlock()
	slices.Sort(ids)
	p.report(ctx, ids...)
}

// report sends heartbeats of the regions, as their leaders do once something has changed.
func (p *player) report(ctx context.Context, regionIDs ...uint64) {
	for _, id := range regionIDs {
		p.mu.Lock()
		heartbeat := p.heartbeat(id)
		p.mu.Unlock()
		if heartbeat == nil {
			continue
		}
		storeID := heartbeat.GetLeader().GetStoreId()
		stream, err := p.streams.of(ctx, p, storeID)
		if err != nil {
			continue // PD is away: the next round tries again.
		}
		if err := stream.send(heartbeat); err != nil {
			p.streams.remove(storeID, stream)
		}
	}
}

// heartbeat is what a region's leader says, or nil when it says nothing; the mutex must be held.
func (p *player) heartbeat(regionID uint64) *pdpb.RegionHeartbeatRequest {
	region, known := p.regions[regionID]
	if !known || region.leader == nil {
		return nil
	}
	leading, known := p.stores[region.leader.GetStoreId()]
	if !known || !leading.alive || !leading.regionHeartbeats || leading.gone {
		return nil
	}
	now := time.Now()
	heartbeat := &pdpb.RegionHeartbeatRequest{
		Header:          p.pd.header(),
		Region:          region.meta,
		Leader:          region.leader,
		Term:            region.term,
		ApproximateSize: region.size * mebibyte,
		ApproximateKeys: region.keys,
		BytesWritten:    region.flow.WrittenBytes,
		KeysWritten:     region.flow.WrittenKeys,
		BytesRead:       region.flow.ReadBytes,
		KeysRead:        region.flow.ReadKeys,
		Interval:        interval(now, p.pace.regionHeartbeat),
	}
	for _, peer := range region.meta.GetPeers() {
		if since, down := p.downSince(region, peer); down {
			seconds := uint64(now.Sub(since).Seconds())
			heartbeat.DownPeers = append(heartbeat.DownPeers, &pdpb.PeerStats{Peer: peer, DownSeconds: seconds})
		}
		if region.lags(peer.GetStoreId()) {
			heartbeat.PendingPeers = append(heartbeat.PendingPeers, peer)
		}
	}
	return heartbeat
}

func (p *player) downSince(region *playedRegion, peer *metapb.Peer) (time.Time, bool) {
	if since, byHand := region.down[peer.GetStoreId()]; byHand {
		return since, true
	}
	if holder, known := p.stores[peer.GetStoreId()]; known && !holder.alive {
		return holder.died, true
	}
	return time.Time{}, false
}

// heartbeatStream is one store's stream of region heartbeats.
type heartbeatStream struct {
	cancel context.CancelFunc
	mu     sync.Mutex
	client pdpb.PD_RegionHeartbeatClient
}

func (stream *heartbeatStream) send(heartbeat *pdpb.RegionHeartbeatRequest) error {
	stream.mu.Lock()
	defer stream.mu.Unlock()
	return stream.client.Send(heartbeat)
}

// streams holds one stream for each store that has sent something.
type streams struct {
	mu      sync.Mutex
	byStore map[uint64]*heartbeatStream
}

// of is the store's stream, opened when there is none.
func (all *streams) of(ctx context.Context, p *player, storeID uint64) (*heartbeatStream, error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if stream, open := all.byStore[storeID]; open {
		return stream, nil
	}
	connection, err := p.pd.connection(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	client, err := pdpb.NewPDClient(connection).RegionHeartbeat(ctx)
	if err != nil {
		cancel()
		p.pd.lost(connection)
		return nil, err
	}
	stream := &heartbeatStream{cancel: cancel, client: client}
	all.byStore[storeID] = stream
	go p.receive(ctx, storeID, stream, connection)
	return stream, nil
}

// receive takes PD's answers until the stream ends.
func (p *player) receive(ctx context.Context, storeID uint64, stream *heartbeatStream, connection *grpc.ClientConn) {
	for {
		answer, err := stream.client.Recv()
		if err != nil {
			break
		}
		if refusal(answer.GetHeader()) == nil {
			p.accept(ctx, answer)
		}
	}
	p.streams.remove(storeID, stream)
	// A stream that was not ended here was ended by PD: perhaps it leads no more.
	if ctx.Err() == nil {
		p.pd.lost(connection)
	}
	stream.cancel()
}

func (all *streams) remove(storeID uint64, stream *heartbeatStream) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.byStore[storeID] == stream {
		delete(all.byStore, storeID)
	}
}

// drop ends the store's stream.
func (all *streams) drop(storeID uint64) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if stream, open := all.byStore[storeID]; open {
		delete(all.byStore, storeID)
		stream.cancel()
	}
}
