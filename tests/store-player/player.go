// The stores and regions that are played, and what is switched on and off.

package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pingcap/kvproto/pkg/metapb"
)

// keptEvents is how many of the last events `GET /events` can show.
const keptEvents = 2000

// pace is how fast the stores do things.
type pace struct {
	storeHeartbeat  time.Duration
	regionHeartbeat time.Duration
	// operator passes between a step that PD sends and its being carried out.
	operator time.Duration
	// snapshot is how long a new peer is pending.
	snapshot time.Duration
	// election passes between the end of a leader's store and the next leader.
	election time.Duration
}

// playedStore is one store. Times and switches are guarded by the player's mutex.
type playedStore struct {
	meta *metapb.Store
	// alive is false for a store that was killed: it sends nothing and its peers do not vote.
	alive bool
	// storeHeartbeats and regionHeartbeats are what a store that is alive sends.
	storeHeartbeats  bool
	regionHeartbeats bool
	// gone is set once PD says that the store is a tombstone.
	gone    bool
	started time.Time
	died    time.Time
	report  reported
}

// playedRegion is one region, and what its leader says of it.
type playedRegion struct {
	meta *metapb.Region
	// leader is nil while no majority of the voters is alive.
	leader *metapb.Peer
	term   uint64
	// down and pending hold what was asked for by hand, by store; dead stores' peers are down too.
	down    map[uint64]time.Time
	pending map[uint64]bool
	// filling holds new peers that wait for their snapshot, by store; they are pending too.
	filling map[uint64]bool
	size    uint64
	keys    uint64
	flow    flow
	// held is set while the region's operators are not carried out.
	held bool
	// busy is set between a step that PD sent and its end.
	busy bool
}

// flow is what is read and written between two heartbeats of a region.
type flow struct {
	WrittenBytes uint64 `json:"written_bytes"`
	WrittenKeys  uint64 `json:"written_keys"`
	ReadBytes    uint64 `json:"read_bytes"`
	ReadKeys     uint64 `json:"read_keys"`
}

// event is one thing that happened, for who looks on.
type event struct {
	Number int       `json:"number"`
	At     time.Time `json:"at"`
	Text   string    `json:"text"`
}

// player plays all stores to one PD.
type player struct {
	pd *pdLink

	mu      sync.Mutex
	pace    pace
	stores  map[uint64]*playedStore
	regions map[uint64]*playedRegion
	// held is set while no operator at all is carried out.
	held bool
	// approximate tells whether a split that PD asks for by approximate size is carried out; a
	// real store does so for a region that has enough data only.
	approximate bool
	events      []event
	happened    int

	// streams has a lock of its own: sending waits, and nothing else should with it.
	streams streams
}

func newPlayer(pd *pdLink, pace pace) *player {
	return &player{
		pd:      pd,
		pace:    pace,
		stores:  map[uint64]*playedStore{},
		regions: map[uint64]*playedRegion{},
		streams: streams{byStore: map[uint64]*heartbeatStream{}},
	}
}

func newStore(meta *metapb.Store) *playedStore {
	return &playedStore{
		meta: meta, alive: true, storeHeartbeats: true, regionHeartbeats: true, started: time.Now(),
	}
}

func newRegion(meta *metapb.Region, leader *metapb.Peer, size uint64) *playedRegion {
	const keysPerMiB = 10_000
	return &playedRegion{
		meta: meta, leader: leader, term: 6, size: size, keys: size * keysPerMiB,
		down: map[uint64]time.Time{}, pending: map[uint64]bool{}, filling: map[uint64]bool{},
	}
}

// tell records what happened; the mutex must be held.
func (p *player) tell(format string, values ...any) {
	text := fmt.Sprintf(format, values...)
	log.Print(text)
	p.happened++
	p.events = append(p.events, event{Number: p.happened, At: time.Now(), Text: text})
	if surplus := len(p.events) - keptEvents; surplus > 0 {
		p.events = slices.Delete(p.events, 0, surplus)
	}
}

// isAlive tells whether a store takes part; the mutex must be held.
func (p *player) isAlive(storeID uint64) bool {
	store, known := p.stores[storeID]
	return known && store.alive
}

// run sends heartbeats until the context ends.
func (p *player) run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { p.repeat(ctx, func() time.Duration { return p.pace.storeHeartbeat }, p.sendStores) })
	loops.Go(func() { p.repeat(ctx, func() time.Duration { return p.pace.regionHeartbeat }, p.sendRegions) })
	loops.Wait()
}

// repeat does one round after the other; the pause between may be changed at any time.
func (p *player) repeat(ctx context.Context, pause func() time.Duration, round func(context.Context)) {
	for ctx.Err() == nil {
		round(ctx)
		p.mu.Lock()
		wait := pause()
		p.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// kill ends a store: it falls silent, and its peers no longer vote.
func (p *player) kill(ctx context.Context, storeID uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	store, known := p.stores[storeID]
	if !known {
		return noStore(storeID)
	}
	if !store.alive {
		return nil
	}
	store.alive, store.died = false, time.Now()
	p.tell("store %d: killed", storeID)
	p.streams.drop(storeID)
	for _, id := range slices.Sorted(maps.Keys(p.regions)) {
		p.loseLeader(id, storeID)
	}
	time.AfterFunc(p.pace.election, func() { p.elect(ctx) })
	return nil
}

// loseLeader takes the leader of a region away that was on the store, or that has no majority
// without it; the mutex must be held.
func (p *player) loseLeader(regionID, storeID uint64) {
	region := p.regions[regionID]
	if region.leader == nil || peerOn(region.meta, storeID) == nil {
		return
	}
	if region.leader.GetStoreId() == storeID || !hasMajority(region.meta, p.isAlive) {
		region.leader = nil
	}
}

// start lets a killed store live again.
func (p *player) start(ctx context.Context, storeID uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	store, known := p.stores[storeID]
	if !known {
		return noStore(storeID)
	}
	if store.alive {
		return nil
	}
	store.alive, store.started = true, time.Now()
	p.tell("store %d: started", storeID)
	time.AfterFunc(p.pace.snapshot, func() { p.filled(storeID) })
	time.AfterFunc(p.pace.election, func() { p.elect(ctx) })
	return nil
}

// elect gives every region a leader that has none and can have one, and reports those.
func (p *player) elect(ctx context.Context) {
	p.mu.Lock()
	var elected []uint64
	for id, region := range p.regions {
		if region.leader != nil || !hasMajority(region.meta, p.isAlive) {
			continue
		}
		if next := p.candidate(region); next != nil {
			region.leader = next
			region.term++
			elected = append(elected, id)
		}
	}
	slices.Sort(elected)
	if len(elected) > 0 {
		p.tell("%d regions: new leaders elected", len(elected))
	}
	p.mu.Unlock()
	p.report(ctx, elected...)
}

// lags tells whether the peer on the store is pending.
func (region *playedRegion) lags(storeID uint64) bool {
	return region.pending[storeID] || region.filling[storeID]
}

// candidate is a peer that can lead: a voter that lives and does not lag.
func (p *player) candidate(region *playedRegion) *metapb.Peer {
	for _, peer := range region.meta.GetPeers() {
		if isVoter(peer) && p.isAlive(peer.GetStoreId()) && !region.lags(peer.GetStoreId()) {
			return peer
		}
	}
	return nil
}

// moveLeader lets a region's leader be on the store, as an election of its own would; store 0
// takes the leader away.
func (p *player) moveLeader(ctx context.Context, regionID, storeID uint64) error {
	return p.change(ctx, regionID, func(region *playedRegion) error {
		if storeID == 0 {
			region.leader = nil
			p.tell("region %d: leader lost", regionID)
			return nil
		}
		peer := peerOn(region.meta, storeID)
		if peer == nil || !isVoter(peer) {
			return fmt.Errorf("region %d has no voter on store %d", regionID, storeID)
		}
		region.leader = peer
		region.term++
		p.tell("region %d: leader is on store %d, by itself", regionID, storeID)
		return nil
	})
}

// change changes a region under the mutex, and reports it when that went well.
func (p *player) change(ctx context.Context, regionID uint64, change func(*playedRegion) error) error {
	p.mu.Lock()
	region, known := p.regions[regionID]
	if !known {
		p.mu.Unlock()
		return noRegion(regionID)
	}
	err := change(region)
	p.mu.Unlock()
	if err == nil {
		p.report(ctx, regionID)
	}
	return err
}

// missing is an answer to a request about a store or region that there is not.
type missing string

func (text missing) Error() string { return string(text) }

func noStore(id uint64) error  { return missing(fmt.Sprintf("there is no store %d", id)) }
func noRegion(id uint64) error { return missing(fmt.Sprintf("there is no region %d", id)) }
