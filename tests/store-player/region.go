// A region as its leader sees it, and what changes one. Nothing here asks PD or the clock.

package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/gogo/protobuf/proto"
	"github.com/pingcap/kvproto/pkg/eraftpb"
	"github.com/pingcap/kvproto/pkg/metapb"
	"github.com/pingcap/kvproto/pkg/pdpb"
)

// A region's meta is never changed in place: each change makes a new one, so that one that is
// being sent stays as it is.
func changed(meta *metapb.Region, change func(*metapb.Region)) *metapb.Region {
	copied := proto.Clone(meta).(*metapb.Region)
	change(copied)
	return copied
}

func peerOn(meta *metapb.Region, storeID uint64) *metapb.Peer {
	for _, peer := range meta.GetPeers() {
		if peer.GetStoreId() == storeID {
			return peer
		}
	}
	return nil
}

// isVoter tells whether the peer may lead.
func isVoter(peer *metapb.Peer) bool {
	role := peer.GetRole()
	return role == metapb.PeerRole_Voter || role == metapb.PeerRole_IncomingVoter
}

// hasMajority tells whether the stores that are alive hold a majority of the voters: in a joint
// state of the old ones and of the new ones.
func hasMajority(meta *metapb.Region, alive func(storeID uint64) bool) bool {
	var before, beforeAlive, after, afterAlive int
	for _, peer := range meta.GetPeers() {
		one := 0
		if alive(peer.GetStoreId()) {
			one = 1
		}
		switch peer.GetRole() {
		case metapb.PeerRole_Voter:
			before, beforeAlive = before+1, beforeAlive+one
			after, afterAlive = after+1, afterAlive+one
		case metapb.PeerRole_IncomingVoter:
			after, afterAlive = after+1, afterAlive+one
		case metapb.PeerRole_DemotingVoter:
			before, beforeAlive = before+1, beforeAlive+one
		}
	}
	return 2*beforeAlive > before && 2*afterAlive > after
}

// withChanges is the region after the changes of its peers: one is made at once, several lead to
// a joint state.
func withChanges(meta *metapb.Region, leader *metapb.Peer, changes []*pdpb.ChangePeer) (*metapb.Region, error) {
	joint := len(changes) > 1
	var failed error
	next := changed(meta, func(region *metapb.Region) {
		for _, change := range changes {
			if err := changePeer(region, leader, change, joint); err != nil {
				failed = err
				return
			}
			region.RegionEpoch.ConfVer++
		}
	})
	return next, failed
}

func changePeer(region *metapb.Region, leader *metapb.Peer, change *pdpb.ChangePeer, joint bool) error {
	wanted := change.GetPeer()
	present := peerOn(region, wanted.GetStoreId())
	if present != nil && present.GetId() != wanted.GetId() {
		return fmt.Errorf("store %d already holds peer %d", wanted.GetStoreId(), present.GetId())
	}
	switch kind := change.GetChangeType(); kind {
	case eraftpb.ConfChangeType_AddNode:
		return becomeVoter(region, present, wanted, joint)
	case eraftpb.ConfChangeType_AddLearnerNode:
		return becomeLearner(region, leader, present, wanted, joint)
	case eraftpb.ConfChangeType_RemoveNode:
		return removePeer(region, leader, present, wanted)
	default:
		return fmt.Errorf("change of a peer of kind %v is not known", kind)
	}
}

func becomeVoter(region *metapb.Region, present, wanted *metapb.Peer, joint bool) error {
	role := metapb.PeerRole_Voter
	if joint {
		role = metapb.PeerRole_IncomingVoter
	}
	if present == nil {
		addPeer(region, wanted, role)
		return nil
	}
	if present.GetRole() != metapb.PeerRole_Learner {
		return fmt.Errorf("peer %d is a %v already", present.GetId(), present.GetRole())
	}
	present.Role = role
	return nil
}

func becomeLearner(region *metapb.Region, leader, present, wanted *metapb.Peer, joint bool) error {
	if present == nil {
		addPeer(region, wanted, metapb.PeerRole_Learner)
		return nil
	}
	if present.GetRole() != metapb.PeerRole_Voter {
		return fmt.Errorf("peer %d is a %v already", present.GetId(), present.GetRole())
	}
	if joint {
		present.Role = metapb.PeerRole_DemotingVoter
		return nil
	}
	if present.GetId() == leader.GetId() {
		return fmt.Errorf("peer %d leads: it is not made a learner", present.GetId())
	}
	present.Role = metapb.PeerRole_Learner
	return nil
}

func addPeer(region *metapb.Region, wanted *metapb.Peer, role metapb.PeerRole) {
	region.Peers = append(region.Peers, &metapb.Peer{
		Id:        wanted.GetId(),
		StoreId:   wanted.GetStoreId(),
		Role:      role,
		IsWitness: wanted.GetIsWitness(),
	})
}

func removePeer(region *metapb.Region, leader, present, wanted *metapb.Peer) error {
	if present == nil {
		return fmt.Errorf("store %d holds no peer", wanted.GetStoreId())
	}
	if present.GetId() == leader.GetId() {
		return fmt.Errorf("peer %d leads: it is not removed", present.GetId())
	}
	kept := region.Peers[:0]
	for _, peer := range region.Peers {
		if peer != present {
			kept = append(kept, peer)
		}
	}
	region.Peers = kept
	return nil
}

// leftJoint is the region once its joint state is over.
func leftJoint(meta *metapb.Region, leader *metapb.Peer) (*metapb.Region, error) {
	var left uint64
	var failed error
	next := changed(meta, func(region *metapb.Region) {
		for _, peer := range region.Peers {
			switch peer.GetRole() {
			case metapb.PeerRole_IncomingVoter:
				peer.Role = metapb.PeerRole_Voter
			case metapb.PeerRole_DemotingVoter:
				if peer.GetId() == leader.GetId() {
					failed = fmt.Errorf("peer %d leads and is being demoted", peer.GetId())
				}
				peer.Role = metapb.PeerRole_Learner
			default:
				continue
			}
			left++
		}
		region.RegionEpoch.ConfVer += left
	})
	if left == 0 {
		return nil, errors.New("the region is in no joint state")
	}
	return next, failed
}

// split cuts the region at the keys, which must lie within it and in order, and gives the parts
// from left to right. As in TiKV the rightmost part keeps the region's id.
func split(meta *metapb.Region, keys [][]byte, ids []*pdpb.SplitID) []*metapb.Region {
	version := meta.GetRegionEpoch().GetVersion() + uint64(len(keys))
	start := meta.GetStartKey()
	var parts []*metapb.Region
	for i, key := range keys {
		parts = append(parts, changed(meta, func(region *metapb.Region) {
			region.Id = ids[i].GetNewRegionId()
			region.StartKey, region.EndKey = start, key
			region.RegionEpoch.Version = version
			for number, peer := range region.Peers {
				peer.Id = ids[i].GetNewPeerIds()[number]
			}
		}))
		start = key
	}
	return append(parts, changed(meta, func(region *metapb.Region) {
		region.StartKey = start
		region.RegionEpoch.Version = version
	}))
}

// merged is the target once it has swallowed the source beside it.
func merged(source, target *metapb.Region) (*metapb.Region, error) {
	var start, end []byte
	switch {
	case len(source.GetEndKey()) > 0 && bytes.Equal(source.GetEndKey(), target.GetStartKey()):
		start, end = source.GetStartKey(), target.GetEndKey()
	case len(target.GetEndKey()) > 0 && bytes.Equal(target.GetEndKey(), source.GetStartKey()):
		start, end = target.GetStartKey(), source.GetEndKey()
	default:
		return nil, fmt.Errorf("region %d is not beside region %d", source.GetId(), target.GetId())
	}
	version := max(source.GetRegionEpoch().GetVersion(), target.GetRegionEpoch().GetVersion()) + 1
	return changed(target, func(region *metapb.Region) {
		region.StartKey, region.EndKey = start, end
		region.RegionEpoch.Version = version
	}), nil
}
