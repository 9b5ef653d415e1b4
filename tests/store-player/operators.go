// Carrying out the steps of operators that PD sends in its answers to region heartbeats.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pingcap/kvproto/pkg/metapb"
	"github.com/pingcap/kvproto/pkg/pdpb"
)

// accept takes one step and has it carried out after a while. PD sends a step again with each
// heartbeat until it is done: what is under way, held or meant for an older region is left out.
func (p *player) accept(ctx context.Context, step *pdpb.RegionHeartbeatResponse) {
	p.mu.Lock()
	defer p.mu.Unlock()
	region, known := p.regions[step.GetRegionId()]
	if !known || region.busy || p.isHeld(region) || !isCurrent(region.meta, step) || described(step) == "" {
		return
	}
	region.busy = true
	time.AfterFunc(p.pace.operator, func() {
		if err := p.carryOut(ctx, step); err != nil {
			p.mu.Lock()
			p.tell("region %d: %s: not done: %v", step.GetRegionId(), described(step), err)
			p.mu.Unlock()
		}
	})
}

func (p *player) isHeld(region *playedRegion) bool { return p.held || region.held }

// isCurrent tells whether the step was decided on the region as it is.
func isCurrent(meta *metapb.Region, step *pdpb.RegionHeartbeatResponse) bool {
	epoch, asked := meta.GetRegionEpoch(), step.GetRegionEpoch()
	return epoch.GetConfVer() == asked.GetConfVer() && epoch.GetVersion() == asked.GetVersion()
}

// described says what a step asks for, or nothing when it asks for nothing that stores do here.
func described(step *pdpb.RegionHeartbeatResponse) string {
	switch {
	case step.GetTransferLeader() != nil:
		return fmt.Sprintf("transfer leader to store %d", targets(step)[0].GetStoreId())
	case step.GetChangePeer() != nil:
		return told(step.GetChangePeer())
	case step.GetChangePeerV2() != nil:
		changes := step.GetChangePeerV2().GetChanges()
		if len(changes) == 0 {
			return "leave joint state"
		}
		text := told(changes[0])
		for _, change := range changes[1:] {
			text += ", " + told(change)
		}
		return text
	case step.GetMerge() != nil:
		return fmt.Sprintf("merge into region %d", step.GetMerge().GetTarget().GetId())
	case step.GetSplitRegion() != nil:
		return fmt.Sprintf("split (%v)", step.GetSplitRegion().GetPolicy())
	default:
		return ""
	}
}

func told(change *pdpb.ChangePeer) string {
	peer := change.GetPeer()
	return fmt.Sprintf("%v peer %d on store %d", change.GetChangeType(), peer.GetId(), peer.GetStoreId())
}

// targets are the peers that may lead, best first.
func targets(step *pdpb.RegionHeartbeatResponse) []*metapb.Peer {
	transfer := step.GetTransferLeader()
	if peers := transfer.GetPeers(); len(peers) > 0 {
		return peers
	}
	return []*metapb.Peer{transfer.GetPeer()}
}

// carryOut does the step, if all is still as it was when PD sent it, and reports the regions that
// changed.
func (p *player) carryOut(ctx context.Context, step *pdpb.RegionHeartbeatResponse) error {
	if split := step.GetSplitRegion(); split != nil {
		return p.splitAsAsked(ctx, step)
	}
	p.mu.Lock()
	region, known := p.regions[step.GetRegionId()]
	if !known {
		p.mu.Unlock()
		return noRegion(step.GetRegionId())
	}
	region.busy = false
	if p.isHeld(region) || !isCurrent(region.meta, step) || region.leader == nil {
		p.mu.Unlock()
		return nil
	}
	reported, err := p.apply(ctx, region, step)
	if err == nil {
		p.tell("region %d: %s", step.GetRegionId(), described(step))
	}
	p.mu.Unlock()
	if err == nil {
		p.report(ctx, reported)
	}
	return err
}

// apply changes the regions as the step says, and gives the region to report; the mutex must be
// held.
func (p *player) apply(ctx context.Context, region *playedRegion, step *pdpb.RegionHeartbeatResponse) (uint64, error) {
	id := step.GetRegionId()
	switch {
	case step.GetTransferLeader() != nil:
		return id, p.transferLeader(region, targets(step))
	case step.GetChangePeer() != nil:
		return id, p.changePeers(ctx, region, []*pdpb.ChangePeer{step.GetChangePeer()})
	case step.GetChangePeerV2() != nil:
		changes := step.GetChangePeerV2().GetChanges()
		if len(changes) > 0 {
			return id, p.changePeers(ctx, region, changes)
		}
		next, err := leftJoint(region.meta, region.leader)
		if err == nil {
			region.set(next)
		}
		return id, err
	default:
		return p.merge(id, step.GetMerge().GetTarget().GetId())
	}
}

// set replaces the meta, and keeps the leader's role as it is in the new one.
func (region *playedRegion) set(meta *metapb.Region) {
	region.meta = meta
	if region.leader != nil {
		region.leader = peerOn(meta, region.leader.GetStoreId())
	}
}

func (p *player) transferLeader(region *playedRegion, targets []*metapb.Peer) error {
	for _, target := range targets {
		storeID := target.GetStoreId()
		peer := peerOn(region.meta, storeID)
		if peer != nil && isVoter(peer) && p.isAlive(storeID) && !region.lags(storeID) {
			region.leader = peer
			region.term++
			return nil
		}
	}
	return errors.New("no target can lead")
}

func (p *player) changePeers(ctx context.Context, region *playedRegion, changes []*pdpb.ChangePeer) error {
	before := region.meta
	next, err := withChanges(before, region.leader, changes)
	if err != nil {
		return err
	}
	region.set(next)
	for _, peer := range next.GetPeers() {
		if peerOn(before, peer.GetStoreId()) == nil {
			p.fill(ctx, region, peer)
		}
	}
	for _, peer := range before.GetPeers() {
		if storeID := peer.GetStoreId(); peerOn(next, storeID) == nil {
			delete(region.pending, storeID)
			delete(region.filling, storeID)
			delete(region.down, storeID)
		}
	}
	return nil
}

// fill lets a new peer be pending until its snapshot has arrived; on a dead store none arrives.
func (p *player) fill(ctx context.Context, region *playedRegion, peer *metapb.Peer) {
	storeID, regionID := peer.GetStoreId(), region.meta.GetId()
	if p.pace.snapshot == 0 && p.isAlive(storeID) {
		return
	}
	region.filling[storeID] = true
	time.AfterFunc(p.pace.snapshot, func() {
		p.filled(storeID)
		p.report(ctx, regionID)
	})
}

// filled ends the waiting of a store's peers for their snapshots, if it lives.
func (p *player) filled(storeID uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.isAlive(storeID) {
		return
	}
	for _, region := range p.regions {
		delete(region.filling, storeID)
	}
}

func (p *player) merge(sourceID, targetID uint64) (uint64, error) {
	target, known := p.regions[targetID]
	if !known {
		return 0, noRegion(targetID)
	}
	source := p.regions[sourceID]
	next, err := merged(source.meta, target.meta)
	if err != nil {
		return 0, err
	}
	target.set(next)
	target.size += source.size
	target.keys += source.keys
	delete(p.regions, sourceID)
	return targetID, nil
}

// splitAsAsked splits a region where PD wants it split.
func (p *player) splitAsAsked(ctx context.Context, step *pdpb.RegionHeartbeatResponse) error {
	p.mu.Lock()
	region, known := p.regions[step.GetRegionId()]
	if !known {
		p.mu.Unlock()
		return noRegion(step.GetRegionId())
	}
	region.busy = false
	meta, wanted := region.meta, step.GetSplitRegion()
	current := !p.isHeld(region) && isCurrent(meta, step) && region.leader != nil
	approximate := p.approximate
	p.mu.Unlock()
	if !current || wanted.GetPolicy() == pdpb.CheckPolicy_APPROXIMATE && !approximate {
		return nil
	}
	var keys [][]byte
	if wanted.GetPolicy() == pdpb.CheckPolicy_USEKEY {
		for _, key := range wanted.GetKeys() {
			if within(key, meta.GetStartKey(), meta.GetEndKey()) {
				keys = append(keys, key)
			}
		}
		slices.SortFunc(keys, bytes.Compare)
	} else if middle, found := keyBetween(meta.GetStartKey(), meta.GetEndKey()); found {
		keys = [][]byte{middle}
	}
	if len(keys) == 0 {
		return errors.New("no key lies within the region")
	}
	return p.split(ctx, meta, keys)
}

// split splits a region at the keys, with ids from PD, and reports the parts.
func (p *player) split(ctx context.Context, meta *metapb.Region, keys [][]byte) error {
	ids, err := p.pd.splitIDs(ctx, meta, len(keys))
	if err != nil {
		return err
	}
	parts := split(meta, keys, ids)
	p.mu.Lock()
	parent, known := p.regions[meta.GetId()]
	if !known || parent.meta != meta || parent.leader == nil {
		p.mu.Unlock()
		return errors.New("the region changed meanwhile")
	}
	size := max(parent.size/uint64(len(parts)), 1)
	var reported []uint64
	for _, part := range parts {
		leader := peerOn(part, parent.leader.GetStoreId())
		reported = append(reported, part.GetId())
		if part.GetId() != meta.GetId() {
			p.regions[part.GetId()] = newRegion(part, leader, size)
		}
	}
	parent.set(parts[len(parts)-1])
	parent.size, parent.keys = size, parent.keys/uint64(len(parts))
	p.tell("region %d: split into %v", meta.GetId(), reported)
	p.mu.Unlock()
	err = p.pd.reportSplit(ctx, parts)
	p.report(ctx, reported...)
	return err
}
